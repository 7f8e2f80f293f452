// The API with its key, and storage.
import { say } from './words.js';

export let key = localStorage.getItem('biblio.key');
let onRefused = () => {};

export const whenRefused = (call) => { onRefused = call; };

export function setKey(given) {
  key = given;
  if (key) localStorage.setItem('biblio.key', key);
  else localStorage.removeItem('biblio.key');
}

/** Raises an Error whose message is a sentence for people. */
export async function api(path, options = {}) {
  const used = key;
  let answer;
  try {
    const headers = { Authorization: `Bearer ${used}`, ...(options.body && { 'Content-Type': 'application/json' }) };
    answer = await fetch(`/api${path}`, { ...options, headers, cache: 'no-store' });
  } catch {
    throw new Error(say('unreachable'));
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const problem = new Error(body.detail ?? say('broke', { status: answer.status }));
  problem.status = answer.status;
  if (answer.status === 401 && used === key) onRefused(problem.message);
  throw problem;
}

/** Send a file straight to storage, with exactly the headers that were signed. */
export function put(file, { method, url, headers }, { onProgress, signal }) {
  return new Promise((done, failed) => {
    const fail = (name, values) => failed(Object.assign(new Error(say(name, values)), { fromStorage: true }));
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      const why = /<Message>([^<]*)/.exec(request.responseText)?.[1] ?? '';
      return request.status < 300 ? done() : fail('storageRefused', { status: request.status, why });
    };
    request.onerror = () => fail('storageUnreachable');
    request.onabort = () => fail('stopped');
    signal.onabort = () => request.abort();
    request.send(file);
  });
}
