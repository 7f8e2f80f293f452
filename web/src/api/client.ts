// The API, typed by its own description, under this browser's session.
import createClient from 'openapi-fetch';
import { Problem, UNREACHABLE, problemOf } from './problem';
import { setReached } from './reach';
import type { paths } from './schema';

const LONGEST_MS = 120_000; // a line that has died without a word is given up
const SAFE = new Set(['GET', 'HEAD']);

let csrfToken = '';
let onSignedOut: () => void = () => {};

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

/** Another tab may have signed in anew, which makes our token an old one: it is asked for again, once. */
async function send(request: Request): Promise<Response> {
  const again = SAFE.has(request.method) ? null : request.clone();
  const answer = await sendOnce(request);
  if (answer.status !== 403 || !again) return answer;
  const { code } = await problemOf(answer.clone());
  if (code !== 'CSRF_TOKEN_WRONG') return answer;
  const session = await sendOnce(new Request('/api/session'));
  if (!session.ok) return answer;
  setCsrfToken(((await session.json()) as { csrf_token: string }).csrf_token);
  return sendOnce(again);
}

async function sendOnce(request: Request): Promise<Response> {
  if (!SAFE.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LONGEST_MS)]);
  try {
    const answer = await fetch(request, { signal, cache: 'no-store' });
    setReached(true);
    return answer;
  } catch (error) {
    if (request.signal.aborted) throw error;
    setReached(false);
    throw new Problem(UNREACHABLE, 0, '');
  }
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: send, credentials: 'same-origin' });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a good answer; any other is thrown as a Problem. */
export async function body<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) {
    if (data === undefined && response.status !== 204) throw new Problem(UNREACHABLE, 0, ''); // broken off
    return data as T;
  }
  const told = (error ?? {}) as { code?: string; detail?: string };
  const wait = 1000 * (Number(response.headers.get('Retry-After')) || 0);
  if (response.status === 401) onSignedOut();
  throw new Problem(told.code ?? `HTTP_${response.status}`, response.status, told.detail ?? '', wait);
}
