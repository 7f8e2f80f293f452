import type { RefObject } from 'react';
import { Icon } from '../controls/Icon';
import { useWords } from '../text/words';
import type { Hits } from './useHits';

interface Props {
  field: RefObject<HTMLInputElement | null>;
  text: string;
  hits: Hits;
  /** -1: none is looked at yet. */
  place: number;
  isThere: boolean;
  onType: (text: string) => void;
  onLook: (place: number) => void;
}

export function InsideSearch({ field, text, hits, place, isThere, onType, onLook }: Props) {
  const { say } = useWords();
  const count = hits.places.length;
  const told = !text.trim() || !hits.isReady ? '' : !count ? say('noHits')
    : place < 0 && !hits.isByMeaning ? say('hitCount', { count }) : say(hits.isByMeaning ? 'byMeaning' : 'hitOf', { place: Math.max(1, place + 1), count });
  return (
    <form className="inside" role="search" aria-label={say('searchInside')} onSubmit={(event) => { event.preventDefault(); onLook(place + 1); }}>
      <div className="inside-field">
        <Icon name="search" size={18} />
        <input ref={field} className="field" type="search" autoComplete="off" maxLength={500} placeholder={say('searchInside')} aria-label={say('searchInside')} value={text} disabled={!isThere}
          onChange={({ target }) => onType(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') { onType(''); field.current?.blur(); }
            if (event.key === 'Enter' && event.shiftKey) { event.preventDefault(); onLook(place - 1); }
          }} />
        <button type="button" className="button quiet square" aria-label={say('previous')} title={say('previous')} disabled={!count} onClick={() => onLook(place < 0 ? count - 1 : place - 1)}><Icon name="up" size={18} /></button>
        <button type="button" className="button quiet square" aria-label={say('next')} title={say('next')} disabled={!count} onClick={() => onLook(place + 1)}><Icon name="down" size={18} /></button>
      </div>
      <p className="inside-told" role="status">{told}</p>
    </form>
  );
}
