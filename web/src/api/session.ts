// Who this browser is signed in as. The key itself stays in no place of ours: the cookie is out of every script's reach.
import { setCsrfToken } from './client';
import { Problem, UNREACHABLE, problemOf } from './problem';
import { setReached } from './reach';

export interface Session {
  csrf_token: string;
  user_id?: string;
  name?: string;
}

/** null: not signed in. */
export async function readSession(): Promise<Session | null> {
  const answer = await ask('GET');
  if (answer.status === 401) return null;
  return kept(answer);
}

/** With an API key, or the token of a link that works once. */
export async function signIn(proof: { key: string } | { token: string }): Promise<Session> {
  const begun = await kept(await ask('POST', JSON.stringify(proof)));
  return (await readSession()) ?? begun;
}

export async function signOut(csrfToken: string): Promise<void> {
  const answer = await ask('DELETE', undefined, { 'X-CSRF-Token': csrfToken });
  if (!answer.ok && answer.status !== 401) throw await problemOf(answer);
}

/** The token in the address is taken out at once: it must not stay in the history, nor be sent anywhere. */
export function tokenInAddress(): string | null {
  const place = new URLSearchParams(location.hash.slice(1));
  const token = place.get('token');
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

async function ask(method: string, content?: string, more: Record<string, string> = {}): Promise<Response> {
  const headers = { ...(content && { 'Content-Type': 'application/json' }), ...more };
  try {
    const answer = await fetch('/api/session', { method, headers, body: content ?? null, cache: 'no-store' });
    setReached(true);
    return answer;
  } catch {
    setReached(false);
    throw new Problem(UNREACHABLE, 0, '');
  }
}

async function kept(answer: Response): Promise<Session> {
  if (!answer.ok) throw await problemOf(answer);
  const session = (await answer.json()) as Session;
  setCsrfToken(session.csrf_token);
  return session;
}
