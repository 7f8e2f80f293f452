import { useEffect, useRef, useState } from 'react';
import type { ListParameters } from '../live/library';
import { useWords } from '../text/words';
import { LANGUAGES, SORTS, STATUSES, type StatusGroup } from './choices';

const PAUSE_MS = 300;

interface Props {
  asked: ListParameters;
  ask: (change: ListParameters) => void;
}

export function Filters({ asked, ask }: Props) {
  const { say, languageName } = useWords();
  return (
    <div className="filters">
      <TitleField value={asked.title ?? ''} onAsk={(title) => ask({ title })} />
      <select className="field" aria-label={say('status')} value={asked.status ?? ''} onChange={({ target }) => ask({ status: target.value })}>
        <option value="">{say('anyStatus')}</option>
        {(Object.keys(STATUSES) as StatusGroup[]).map((group) => <option key={group} value={group}>{say(group)}</option>)}
      </select>
      <select className="field" aria-label={say('spokenLanguage')} value={asked.language ?? ''} onChange={({ target }) => ask({ language: target.value })}>
        <option value="">{say('anyLanguage')}</option>
        {LANGUAGES.map((tag) => <option key={tag} value={tag}>{languageName(tag)}</option>)}
      </select>
      <select className="field" aria-label={say('sort')} value={asked.sort ?? 'newest'} onChange={({ target }) => ask({ sort: target.value === 'newest' ? '' : target.value })}>
        {SORTS.map((sort) => <option key={sort} value={sort}>{say(sort)}</option>)}
      </select>
    </div>
  );
}

function TitleField({ value, onAsk }: { value: string; onAsk: (title: string) => void }) {
  const { say } = useWords();
  const [text, setText] = useState(value);
  const timer = useRef(0);
  useEffect(() => { setText(value); }, [value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  function type(next: string): void {
    setText(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onAsk(next.trim()), PAUSE_MS);
  }
  return <input className="field" type="search" maxLength={200} placeholder={say('titlePart')} aria-label={say('titlePart')} value={text} onChange={({ target }) => type(target.value)} />;
}
