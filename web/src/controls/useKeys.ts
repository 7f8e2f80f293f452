// Keys that work anywhere on the page, but where words are typed.
import { useEffect, useRef } from 'react';

const TYPING = 'input:not([type="range"]), textarea, select, [contenteditable], dialog[open] *';

/** `on` gets each key and tells whether it was of use. */
export function useKeys(on: (event: KeyboardEvent) => boolean): void {
  const latest = useRef(on);
  latest.current = on;
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if ((event.target as Element | null)?.closest?.(TYPING)) return;
      if (latest.current(event)) event.preventDefault();
    };
    document.addEventListener('keydown', hear);
    return () => document.removeEventListener('keydown', hear);
  }, []);
}
