// Bytes straight to storage.
import type { TextName, Values } from '../text/words';

const STALLED_MS = 30_000; // while bytes go out
const ANSWER_MS = 180_000; // after the last one: the line's buffers empty, storage writes
const PASSING = new Set([408, 409, 429]);
const HEALED_BY_ANOTHER = /expired|BadDigest|Content(Checksum|SHA256)Mismatch/i;
const PASSING_REASONS = /<Code>(RequestTimeout|IncompleteBody|SlowDown)</; // with HTTP 400, though the request was right

/** What helps: another try, another address, asking the server, nothing; or a file that is no longer what it was. */
export type Code = 'LINE_BROKEN' | 'ADDRESS_REFUSED' | 'UPLOAD_UNKNOWN' | 'REFUSED' | 'STOPPED' | 'FILE_GONE' | 'FILE_CHANGED';

export class SendingProblem extends Error {
  constructor(readonly code: Code, readonly text: TextName, readonly values: Values = {}) {
    super(code);
  }
}

export interface Permit {
  method: string;
  url: string;
  headers: Record<string, string>;
}

/** Send a blob, with exactly the headers that were signed. */
export function put(blob: Blob, { method, url, headers }: Permit, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    let watch: number | undefined;
    const fail = (code: Code, text: TextName, values?: Values) => failed(new SendingProblem(code, text, values));
    const expectNews = (ms: number) => { clearTimeout(watch); watch = window.setTimeout(() => request.abort(), ms); };
    const abort = () => request.abort();

    if (signal.aborted) return fail('STOPPED', 'stopped');
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => { expectNews(STALLED_MS); onProgress(loaded); };
    request.upload.onload = () => expectNews(ANSWER_MS);
    request.onload = () => {
      const problem = problemOf(request.status, request.responseText);
      if (problem) failed(problem);
      else done();
    };
    request.onerror = () => fail('LINE_BROKEN', 'noStorage');
    request.onabort = () => (signal.aborted ? fail('STOPPED', 'stopped') : fail('LINE_BROKEN', 'noStorage'));
    request.onloadend = () => { clearTimeout(watch); signal.removeEventListener('abort', abort); };
    signal.addEventListener('abort', abort);
    expectNews(STALLED_MS);
    return request.send(blob);
  });
}

function problemOf(status: number, told: string): SendingProblem | null {
  if ((status >= 200 && status < 300) || status === 412) return null; // 412: it is there already
  if (status >= 500 || PASSING.has(status) || PASSING_REASONS.test(told)) return new SendingProblem('LINE_BROKEN', 'noStorage');
  const why = { status: String(status), why: /<Message>([^<]*)/.exec(told)?.[1] ?? '' };
  if (status === 404) return new SendingProblem('UPLOAD_UNKNOWN', 'storageRefused', why);
  const isHealed = status === 403 || HEALED_BY_ANOTHER.test(told);
  return new SendingProblem(isHealed ? 'ADDRESS_REFUSED' : 'REFUSED', 'storageRefused', why);
}

/** Browsers report a file that was changed or removed meanwhile as a broken line. */
export async function requireReadable(file: Blob): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (problem) {
    const isGone = problem instanceof DOMException && problem.name === 'NotFoundError';
    throw isGone ? new SendingProblem('FILE_GONE', 'fileGone') : new SendingProblem('FILE_CHANGED', 'fileChanged');
  }
}
