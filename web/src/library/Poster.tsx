import { useState } from 'react';
import type { Video } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { clock, useWords } from '../text/words';

type Pictured = Partial<Pick<Video, 'mime_type' | 'duration' | 'poster_url'>>;

/** The place is as large before the picture is there, so nothing jumps. */
export function Poster({ poster_url: url, mime_type: type, duration }: Pictured) {
  const { say } = useWords();
  const [failed, setFailed] = useState<string | null>(null);
  const isShown = url && failed !== url;
  return (
    <div className="poster">
      {isShown
        ? <img src={url} alt="" width={640} height={360} loading="lazy" decoding="async" draggable={false} onError={() => setFailed(url)} />
        : <Icon name={type?.startsWith('audio/') ? 'sound' : 'film'} size={36} />}
      {duration != null && <span className="length"><span className="unseen">{say('lengthIs', { time: '' })}</span>{clock(duration)}</span>}
    </div>
  );
}
