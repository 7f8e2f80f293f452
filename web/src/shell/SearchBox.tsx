// The one box on top of every page: completes words, and searches after a pause in the typing.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { api, body } from '../api/client';
import { Icon } from '../controls/Icon';
import { useKeys } from '../controls/useKeys';
import { useWords } from '../text/words';

const PAUSE_MS = 300;
const SUGGEST_MS = 120;
const MOST_SUGGESTIONS = 6;

export function SearchBox() {
  const { say } = useWords();
  const [path, navigate] = useLocation();
  const [parameters] = useSearchParams();
  const inAddress = path === '/search' ? (parameters.get('q') ?? '') : '';
  const [text, setText] = useState(inAddress);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const asked = useRef(inAddress); // what we put into the address ourselves
  const id = useId();
  const suggestions = useSuggestions(isOpen ? text : '');

  useEffect(() => {
    if (inAddress === asked.current) return;
    asked.current = inAddress; // by "back", or by a link
    window.clearTimeout(timer.current);
    setText(inAddress);
  }, [inAddress]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useKeys(({ key }) => {
    if (key !== '/' || path.startsWith('/videos/')) return false;
    field.current?.focus();
    field.current?.select();
    return true;
  });

  function search(q: string): void {
    window.clearTimeout(timer.current);
    const within = path === '/search';
    const next = new URLSearchParams(within ? parameters : undefined);
    for (const one of ['like', 't']) next.delete(one);
    if (q.trim()) next.set('q', q.trim());
    else next.delete('q');
    if (!within && !q.trim()) return;
    asked.current = q.trim();
    // While words are being typed the address changes in place: "back" leaves the search at once.
    navigate(`/search?${next}`, { replace: within });
  }

  function type(value: string): void {
    setText(value);
    setOpen(true);
    setChosen(-1);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => search(value), PAUSE_MS);
  }

  function take(word: string): void {
    setText(word);
    setOpen(false);
    search(word);
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing) return; // Hangul that is still being put together
    const count = suggestions.length;
    if (event.key === 'Escape' && isOpen) setOpen(false);
    else if (event.key === 'ArrowDown' && count) { setOpen(true); setChosen((chosen + 1) % count); }
    else if (event.key === 'ArrowUp' && count) setChosen(chosen <= 0 ? count - 1 : chosen - 1);
    else return;
    event.preventDefault();
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    const word = suggestions[chosen];
    if (isOpen && word) return take(word);
    setOpen(false);
    search(text);
  }

  const isShown = isOpen && suggestions.length > 0;
  return (
    <form className="search-box" role="search" onSubmit={submit} onBlur={({ currentTarget, relatedTarget }) => { if (!currentTarget.contains(relatedTarget)) setOpen(false); }}>
      <Icon name="search" />
      <input ref={field} className="field" type="search" name="q" enterKeyHint="search" autoComplete="off" maxLength={1000} value={text} placeholder={say('searchHint')} aria-label={say('searchLabel')}
        role="combobox" aria-autocomplete="list" aria-expanded={isShown} aria-controls={`${id}-list`} aria-activedescendant={isShown && chosen >= 0 ? `${id}-${chosen}` : undefined}
        onChange={({ target }) => type(target.value)} onKeyDown={onKeyDown} />
      {text && <button type="button" className="search-clear" aria-label={say('clear')} onClick={() => { type(''); field.current?.focus(); }}><Icon name="close" size={18} /></button>}
      <ul id={`${id}-list`} className="suggestions" role="listbox" aria-label={say('suggestions')} hidden={!isShown}>
        {isShown && suggestions.map((word, place) => (
          <li key={word} id={`${id}-${place}`} role="option" aria-selected={place === chosen} onPointerDown={(event) => { event.preventDefault(); take(word); }}>{word}</li>
        ))}
      </ul>
    </form>
  );
}

function useSuggestions(text: string): string[] {
  const [paused, setPaused] = useState('');
  useEffect(() => {
    const timer = window.setTimeout(() => setPaused(text), SUGGEST_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  const last = paused.split(/\s/).at(-1) ?? '';
  const { data } = useQuery({
    queryKey: ['suggest', paused],
    queryFn: ({ signal }) => body(api.GET('/api/search/suggest', { params: { query: { q: paused, limit: MOST_SUGGESTIONS } }, signal })),
    enabled: Boolean(last) && paused.length <= 1000,
    retry: false,
  });
  if (!text || !last || paused !== text) return [];
  return (data?.suggestions ?? []).filter((word) => word !== text.trim());
}
