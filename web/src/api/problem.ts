// What went wrong with a call, as RFC 9457 tells it.
export class Problem extends Error {
  override name = 'Problem';

  /** `status` 0: the server was never reached. `wait` is in ms, as the server asks for. */
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    readonly wait = 0,
  ) {
    super(message);
  }
}

export const UNREACHABLE = 'UNREACHABLE';

/** Whether the same call may well succeed a little later. */
export function passes(problem: unknown): boolean {
  if (!(problem instanceof Problem)) return false;
  const { status, code } = problem;
  return status === 0 || code === 'RATE_LIMITED' || ([502, 503, 504].includes(status) && code !== 'ENGINE_REJECTED');
}

export async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => null)) as { code?: string; detail?: string } | null;
  const wait = 1000 * (Number(answer.headers.get('Retry-After')) || 0);
  return new Problem(body?.code ?? `HTTP_${answer.status}`, answer.status, body?.detail ?? '', wait);
}
