// Bytes straight to storage.
import { say } from './words.js';

const STALLED_MS = 30_000; // while bytes go out
const ANSWER_MS = 180_000; // after the last one: the line's buffers empty, storage writes
const PASSING = new Set([408, 409, 429]);
const HEALED_BY_ANOTHER = /expired|BadDigest|Content(Checksum|SHA256)Mismatch/i;
const PASSING_REASONS = /<Code>(RequestTimeout|IncompleteBody|SlowDown)</; // with HTTP 400, though the request was right

/**
 * Send a blob, with exactly the headers that were signed. Raises an Error for people; its `code` says what helps:
 * LINE_BROKEN (another try), ADDRESS_REFUSED (another address), UPLOAD_UNKNOWN (asking the server), REFUSED (nothing).
 */
export function put(blob, { method, url, headers }, { onProgress, signal }) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const fail = (code, sentence, values) => failed(Object.assign(new Error(say(sentence, values)), { code }));
    const broken = () => fail('LINE_BROKEN', 'noStorage');
    let watch;
    const expectNews = (ms) => { clearTimeout(watch); watch = setTimeout(() => request.abort(), ms); };
    const abort = () => request.abort();

    if (signal.aborted) return fail('STOPPED', 'stopped');
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => { expectNews(STALLED_MS); onProgress(loaded); };
    request.upload.onload = () => expectNews(ANSWER_MS);
    request.onload = () => {
      const { status, responseText: told } = request;
      if (status < 300 || status === 412) return done(); // 412: it is there already
      if (status >= 500 || PASSING.has(status) || PASSING_REASONS.test(told)) return broken();
      const why = { status, why: /<Message>([^<]*)/.exec(told)?.[1] ?? '' };
      if (status === 404) return fail('UPLOAD_UNKNOWN', 'storageRefused', why);
      const isHealed = status === 403 || HEALED_BY_ANOTHER.test(told);
      return fail(isHealed ? 'ADDRESS_REFUSED' : 'REFUSED', 'storageRefused', why);
    };
    request.onerror = broken;
    request.onabort = () => (signal.aborted ? fail('STOPPED', 'stopped') : broken());
    request.onloadend = () => { clearTimeout(watch); signal.removeEventListener('abort', abort); };
    signal.addEventListener('abort', abort);
    expectNews(STALLED_MS);
    return request.send(blob);
  });
}
