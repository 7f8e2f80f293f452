// The whole of the video as one line: where it is, and where the hits lie.
import { memo } from 'react';
import { clock, useWords } from '../text/words';
import { usePlayback, type Playback } from './playback';

const MOST_TICKS = 240; // more could not be told apart

interface Props {
  playback: Playback;
  length: number;
  hits: readonly number[];
}

export function Timeline({ playback, length, hits }: Props) {
  const { say } = useWords();
  const total = usePlayback(playback, ({ duration }) => duration) || length;
  const second = usePlayback(playback, ({ time }) => Math.floor(time));
  if (!total) return null;
  return (
    <div className="timeline">
      <Ticks hits={hits} total={total} />
      <input type="range" className="timeline-range" min={0} max={Math.floor(total)} step={1} value={second} aria-label={say('position')}
        aria-valuetext={say('ofLength', { time: clock(second), length: clock(total) })} style={{ '--done': second / total }}
        onChange={({ target }) => playback.seek(Number(target.value))} />
      <span className="timeline-times" aria-hidden="true"><span>{clock(second)}</span><span>{clock(total)}</span></span>
    </div>
  );
}

const Ticks = memo(function Ticks({ hits, total }: { hits: readonly number[]; total: number }) {
  const places = [...new Set(hits.map((time) => Math.round((time / total) * MOST_TICKS)))];
  return <div className="ticks" aria-hidden="true">{places.map((place) => <span key={place} className="tick" style={{ left: `${(100 * place) / MOST_TICKS}%` }} />)}</div>;
});
