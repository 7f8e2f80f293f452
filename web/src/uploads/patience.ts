// Trying again: soon at first, then more seldom, and at once when the line is back.
import { Problem, passes } from '../api/problem';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Resolves after a pause that doubles with every failure in a row, or as soon as `signal` is aborted. */
export function pause(failures: number, signal: AbortSignal, atLeast = 0): Promise<void> {
  const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2); // many must not come back at once
  return new Promise((over) => {
    const wake = () => {
      clearTimeout(timer);
      window.removeEventListener('online', wake);
      signal.removeEventListener('abort', wake);
      over();
    };
    const timer = setTimeout(wake, Math.max(ms, Math.min(atLeast, LONGEST_MS)));
    window.addEventListener('online', wake);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}

/** What `ask` returns, asked again for as long as its problem may pass; `onTrouble` hears of each. */
export async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal, onTrouble: (problem: unknown) => void = () => {}): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (problem) {
      if (signal.aborted || !passes(problem)) throw problem;
      onTrouble(problem);
      await pause(failures, signal, problem instanceof Problem ? problem.wait : 0);
    }
  }
}
