// Short sentences about what has just happened: seen for a while, and read out by screen readers.
import { useSyncExternalStore } from 'react';

const SEEN_MS = 5000;

export interface Notice {
  sentence: string;
  isSeen: boolean;
}

const NONE: Notice = { sentence: '', isSeen: false };
let notice = NONE;
let timer: number | undefined;
const listeners = new Set<() => void>();

/** `isSeen` false: said to screen readers only, as it can be seen anyway. */
export function announce(sentence: string, { isSeen = true } = {}): void {
  window.clearTimeout(timer);
  set({ sentence, isSeen });
  timer = window.setTimeout(() => set(NONE), SEEN_MS);
}

function set(next: Notice): void {
  notice = next;
  listeners.forEach((tell) => tell());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useNotice = () => useSyncExternalStore(subscribe, () => notice);
