// A new page begins at its top; "back" finds a page where it was left.
import { useEffect, useLayoutEffect, useRef } from 'react';
import { useLocation } from 'wouter';

const places = new Map<string, number>();
let isBack = false;
window.addEventListener('popstate', () => { isBack = true; });
history.scrollRestoration = 'manual'; // lists are drawn later than browsers look

export function useScrollMemory(): void {
  const [path] = useLocation();
  const here = useRef(path);
  useEffect(() => {
    const keep = () => places.set(here.current, window.scrollY);
    window.addEventListener('scroll', keep, { passive: true });
    return () => window.removeEventListener('scroll', keep);
  }, []);
  useLayoutEffect(() => {
    if (here.current === path) return;
    here.current = path;
    const top = isBack ? (places.get(path) ?? 0) : 0;
    isBack = false;
    window.scrollTo(0, top);
    if (top) requestAnimationFrame(() => window.scrollTo(0, top)); // once the list has its height
  }, [path]);
}
