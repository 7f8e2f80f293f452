// The two ways to storage: a file whole, or in parts. Both are spans with a number, each with an address when its turn comes.
import { sha256 } from './fingerprint.js';

const GROUP = 4;
const GROUP_BYTES = 64 * 1024 * 1024;
const MARGIN_MS = 10_000;

const over = (code) => Object.assign(new Error(code), { code });

/** By one PUT. */
export class Whole {
  #ask;
  #path;
  #first;

  constructor(ask, id, file, upload) {
    [this.#ask, this.#path, this.file, this.#first] = [ask, `/videos/${id}`, file, upload];
  }

  async missing() {
    return [1];
  }

  span() {
    return this.file;
  }

  /** Its address lasts for minutes, so it is used at once, and every other try gets a fresh one. */
  async permit() {
    const first = this.#first;
    this.#first = null;
    const upload = first ?? (await this.#ask(this.#path)).upload;
    if (!upload) throw over('ALREADY_UPLOADED');
    return upload;
  }
}

/** In parts, of which the server knows which ones storage has. */
export class Parts {
  #ask;
  #path;
  #size;
  #waiting = [];
  #signed = new Map();
  #checksums = false;
  #turn = Promise.resolve();

  constructor(ask, id, file, { part_size: size }) {
    [this.#ask, this.#path, this.file, this.#size] = [ask, `/videos/${id}/upload/parts`, file, size];
  }

  async missing() {
    const { missing, checksums } = await this.#ask(this.#path);
    this.#signed.clear();
    this.#waiting = [...missing];
    this.#checksums = Boolean(checksums); // as the upload was begun, here or elsewhere
    return missing;
  }

  span(number) {
    return this.file.slice((number - 1) * this.#size, number * this.#size);
  }

  /** One after the other: whoever signs, signs for the next ones too. */
  permit(number) {
    const mine = this.#turn.then(() => this.#take(number));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #take(number) {
    this.#waiting = this.#waiting.filter((other) => other !== number);
    const kept = this.#signed.get(number);
    this.#signed.delete(number);
    if (kept && new Date(kept.expires_at) - Date.now() > MARGIN_MS) return kept;
    const group = Math.max(1, Math.min(GROUP, Math.floor(GROUP_BYTES / this.#size)));
    const next = this.#waiting.filter((other) => !this.#signed.has(other)).slice(0, group - 1);
    await this.#sign([number, ...next]);
    const signed = this.#signed.get(number); // used even if it looks old: clocks differ, and storage decides
    this.#signed.delete(number);
    return signed;
  }

  async #sign(numbers) {
    const asked = { numbers };
    if (this.#checksums) {
      asked.sha256 = {};
      for (const number of numbers) asked.sha256[number] = await sha256(this.span(number));
    }
    const { parts } = await this.#ask(this.#path, { method: 'POST', body: JSON.stringify(asked) });
    for (const part of parts) this.#signed.set(part.number, part);
  }
}
