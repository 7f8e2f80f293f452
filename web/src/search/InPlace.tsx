import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { api, body } from '../api/client';
import type { FoundVideo } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { useKeys } from '../controls/useKeys';
import { videoKey } from '../live/library';
import { useWords } from '../text/words';
import { Playback } from '../video/playback';
import { Player } from '../video/Player';

interface Props {
  video: FoundVideo;
  start: number;
  onClose: () => void;
}

/** A player in a search result. */
export default function InPlace({ video, start, onClose }: Props) {
  const { say } = useWords();
  const { video_id: id, title } = video;
  const playback = useMemo(() => new Playback(), []);
  const { data } = useQuery({
    queryKey: videoKey(id),
    queryFn: ({ signal }) => body(api.GET('/api/videos/{video_id}', { params: { path: { video_id: id } }, signal })),
  });
  const begun = useRef(start);
  useEffect(() => {
    if (begun.current !== start) playback.seek(start, true);
    begun.current = start;
  }, [start, playback]);
  useKeys(({ key }) => {
    if (key !== 'Escape') return false;
    onClose();
    return true;
  });
  if (!data) return <div className="screen" />;
  return (
    <div className="in-place">
      <Player id={id} title={title} mimeType={data.mime_type} language={data.language} posterUrl={data.poster_url} hasTranscript playback={playback} start={start} autoPlay />
      <button type="button" className="button quiet square in-place-close" aria-label={say('closePlayer')} title={say('closePlayer')} onClick={onClose}><Icon name="close" size={18} /></button>
    </div>
  );
}
