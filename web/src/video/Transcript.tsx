// What is said, beside the player. Of thousands of sentences only those in sight are drawn.
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Sentence } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { piecesOf, placesOf, type Range } from '../text/pieces';
import { clock, useWords } from '../text/words';
import { usePlayback, type Playback } from './playback';
import { placeAt } from './useTranscript';

const LINE = 26;
const LETTERS = 26; // of a line, on a narrow pane

interface Props {
  sentences: Sentence[];
  playback: Playback;
  /** Of each sentence, what is marked in it. */
  marks: ReadonlyMap<number, readonly Range[]>;
  /** The sentence of the hit that is looked at. */
  shown: number | null;
  onSimilar: (time: number) => void;
}

export function Transcript({ sentences, playback, marks, shown, onSimilar }: Props) {
  const { say } = useWords();
  const pane = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const now = usePlayback(playback, ({ time }) => placeAt(sentences, time));
  const rows = useVirtualizer({
    count: sentences.length,
    getScrollElement: () => pane.current,
    estimateSize: (place) => 20 + LINE * Math.ceil((sentences[place]?.transcript.length ?? 1) / LETTERS),
    overscan: 6,
  });

  const reveal = useCallback((place: number) => {
    const [top] = rows.getOffsetForIndex(place, 'center') ?? [0];
    const pane_ = pane.current;
    if (!pane_) return;
    const isNear = Math.abs(pane_.scrollTop - top) < 2 * pane_.clientHeight;
    if (isNear && !matchMedia('(prefers-reduced-motion: reduce)').matches) pane_.scrollTo({ top, behavior: 'smooth' });
    else rows.scrollToIndex(place, { align: 'center' });
  }, [rows]);

  useEffect(() => { if (isFollowing && now >= 0) reveal(now); }, [isFollowing, now, reveal]);
  useEffect(() => { if (shown !== null) { setFollowing(false); reveal(shown); } }, [shown, reveal]);

  const leave = () => setFollowing(false); // the reader scrolls
  const seek = useCallback((time: number) => { setFollowing(true); playback.seek(time, true); }, [playback]);
  return (
    <div className="transcript-body">
      <div ref={pane} className="transcript-pane" tabIndex={0} role="region" aria-label={say('transcript')} onWheel={leave} onTouchMove={leave}
        onPointerDown={({ target, currentTarget }) => { if (target === currentTarget) leave(); }}
        onKeyDown={({ key }) => { if (['PageUp', 'PageDown', 'Home', 'End'].includes(key)) leave(); }}>
        <div className="transcript-rows" role="list" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const sentence = sentences[item.index];
            return sentence && (
              <div key={item.key} data-index={item.index} ref={rows.measureElement} role="listitem" className="sentence" style={{ transform: `translateY(${item.start}px)` }}
                aria-current={item.index === now || undefined} data-shown={item.index === shown || undefined}>
                <Line sentence={sentence} ranges={marks.get(item.index) ?? NONE} playback={item.index === now ? playback : null} onSeek={seek} onSimilar={onSimilar} />
              </div>
            );
          })}
        </div>
      </div>
      {!isFollowing && now >= 0 && <button type="button" className="button strong back-to-now" onClick={() => setFollowing(true)}><Icon name="down" size={18} />{say('backToNow')}</button>}
    </div>
  );
}

const NONE: readonly Range[] = [];
const NEVER = { subscribe: () => () => {}, seen: () => ({ time: -1, duration: 0, isPlaying: false, rate: 1 }) } as unknown as Playback;

interface LineProps {
  sentence: Sentence;
  ranges: readonly Range[];
  /** null: another sentence is said now. */
  playback: Playback | null;
  onSeek: (time: number) => void;
  onSimilar: (time: number) => void;
}

const Line = memo(function Line({ sentence, ranges, playback, onSeek, onSimilar }: LineProps) {
  const { say } = useWords();
  const { transcript: text, start_time: start, words } = sentence;
  const pieces = useMemo(() => piecesOf(text, ranges, placesOf(text, words)), [text, ranges, words]);
  const said = usePlayback(playback ?? NEVER, ({ time }) => words.findLastIndex(([, from]) => from <= time + 0.05));
  const time = clock(start);
  return (
    <>
      <button type="button" className="sentence-time" onClick={() => onSeek(start)}>{time}<span className="unseen"> {say('playFrom')}</span></button>
      <p className="sentence-text" onClick={({ target }) => {
        if (!getSelection()?.isCollapsed) return; // words are being selected, to be copied
        const place = (target as HTMLElement).closest<HTMLElement>('[data-word]')?.dataset.word;
        onSeek(place === undefined ? start : (words[Number(place)]?.[1] ?? start));
      }}>
        {pieces.map((piece, place) => {
          const Tag = piece.isMarked ? 'mark' : 'span';
          if (piece.word === null && !piece.isMarked) return piece.text;
          return <Tag key={place} data-word={piece.word ?? undefined} data-said={playback && piece.word === said ? '' : undefined}>{piece.text}</Tag>;
        })}
      </p>
      <button type="button" className="button quiet square sentence-similar" aria-label={`${say('similar')}: ${time}`} title={say('similar')} onClick={() => onSimilar(start)}><Icon name="similar" size={16} /></button>
    </>
  );
});
