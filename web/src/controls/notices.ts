// Short sentences about what has just happened: seen for a while, and read out by screen readers.
import { useSyncExternalStore } from 'react';

const SEEN_MS = 5000;

let notice = '';
let timer: number | undefined;
const listeners = new Set<() => void>();

export function announce(sentence: string): void {
  window.clearTimeout(timer);
  set(sentence);
  timer = window.setTimeout(() => set(''), SEEN_MS);
}

function set(sentence: string): void {
  notice = sentence;
  listeners.forEach((tell) => tell());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useNotice = () => useSyncExternalStore(subscribe, () => notice);
