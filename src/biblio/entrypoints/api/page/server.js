// The API with its key.
import { say } from './words.js';

const LONGEST_MS = 120_000; // a line that has died without a word is given up

export let key = localStorage.getItem('biblio.key');
let onRefused = () => {};

export const whenRefused = (call) => { onRefused = call; };

export function setKey(given) {
  key = given;
  if (key) localStorage.setItem('biblio.key', key);
  else localStorage.removeItem('biblio.key');
}

/**
 * What the server answers; `as` is a key other than the page's. Raises an Error whose message is a sentence for people, with
 * the problem's `status`, `code` and `wait` (ms that the server asks for); without a `status` it was never reached.
 */
export async function api(path, { as = key, headers = {}, signal, ...options } = {}) {
  const limits = [AbortSignal.timeout(LONGEST_MS), ...(signal ? [signal] : [])];
  const kind = options.body && { 'Content-Type': 'application/json' };
  const all = { ...options, headers: { Authorization: `Bearer ${as}`, ...kind, ...headers }, signal: AbortSignal.any(limits) };
  const answer = await fetch(`/api${path}`, { ...all, cache: 'no-store' }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (answer?.ok && body) return body;
  if (!answer || answer.ok) throw new Error(say('unreachable')); // a good answer without its body has broken off
  const problem = new Error(body?.detail ?? say('broke', { status: answer.status }));
  const wait = 1000 * (Number(answer.headers.get('Retry-After')) || 0);
  Object.assign(problem, { status: answer.status, code: body?.code, wait });
  if (answer.status === 401 && as === key) onRefused(problem.message);
  throw problem;
}

/** Whether the same call may well succeed a little later. */
export function passes({ status, code }) {
  return !status || code === 'RATE_LIMITED' || ([502, 503, 504].includes(status) && code !== 'ENGINE_REJECTED');
}
