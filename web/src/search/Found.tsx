// One video of the answer, with its moments; each plays here, from its second.
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { FoundVideo, Moment } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { Poster } from '../library/Poster';
import { Marked } from '../text/Marked';
import { halves } from '../text/pieces';
import { clock, useWords } from '../text/words';
import type { Playing } from './SearchPage';

const InPlace = lazy(() => import('./InPlace'));
const FIRST = 3;

interface Props {
  video: FoundVideo;
  query: string;
  playing: Playing | null;
  onPlay: (playing: Playing | null) => void;
}

export function Found({ video, query, playing, onPlay }: Props) {
  const { say } = useWords();
  const { video_id: id, title, moments } = video;
  const [isWhole, setWhole] = useState(false);
  const card = useRef<HTMLElement>(null);
  const shown = isWhole ? moments : moments.slice(0, FIRST);
  const address = (time: number) => `/videos/${id}?${new URLSearchParams({ t: String(time), ...(query && { q: query }) })}`;
  useEffect(() => { if (playing) card.current?.scrollIntoView({ block: 'nearest' }); }, [playing]);
  return (
    <article ref={card} className="found" data-playing={playing ? '' : undefined} data-id={id}>
      <div className="found-picture">
        {playing
          ? <Suspense fallback={<div className="screen" />}><InPlace video={video} start={playing.start} onClose={() => onPlay(null)} /></Suspense>
          : <Link href={address(moments[0]?.start_time ?? 0)} aria-hidden="true" tabIndex={-1}><Poster {...video} /></Link>}
      </div>
      <div className="found-text">
        <h2><Link href={address(moments[0]?.start_time ?? 0)}>{title}</Link></h2>
        <ul className="moments">
          {shown.map((moment) => (
            <MomentLine key={moment.start_time} moment={moment} address={address(moment.start_time)} likeAddress={`/search?${new URLSearchParams({ like: id, t: String(moment.start_time) })}`}
              isPlaying={playing?.start === moment.start_time} onPlay={() => onPlay({ videoId: id, start: moment.start_time })} />
          ))}
        </ul>
        {moments.length > shown.length && <button type="button" className="button quiet small-button" onClick={() => setWhole(true)}>{say('moreMoments', { count: moments.length - shown.length })}</button>}
      </div>
    </article>
  );
}

interface LineProps {
  moment: Moment;
  address: string;
  likeAddress: string;
  isPlaying: boolean;
  onPlay: () => void;
}

function MomentLine({ moment, address, likeAddress, isPlaying, onPlay }: LineProps) {
  const { say } = useWords();
  const { start_time: start, text, highlights } = moment;
  const ranges = useMemo(() => halves(text, highlights), [text, highlights]);
  const time = clock(start);
  return (
    <li className="moment" data-playing={isPlaying || undefined}>
      <button type="button" className="moment-play" data-start={start} onClick={onPlay}>
        <span className="moment-time"><Icon name="play" size={14} />{time}<span className="unseen"> {say('playFrom')}</span></span>
        <span className="moment-text"><Marked text={text} ranges={ranges} /></span>
      </button>
      <span className="moment-more">
        <Link className="button quiet square" href={likeAddress} aria-label={`${say('similar')}: ${time}`} title={say('similar')}><Icon name="similar" size={16} /></Link>
        <Link className="button quiet square" href={address} aria-label={say('openAt', { time })} title={say('openAt', { time })}><Icon name="open" size={16} /></Link>
      </span>
    </li>
  );
}
