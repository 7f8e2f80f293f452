// The two ways to storage: a file whole, or in parts. Both are spans with a number, each with an address when its turn comes.
import { api, body } from '../api/client';
import { Problem } from '../api/problem';
import { sha256 } from './fingerprint';
import type { Permit } from './put';

const GROUP = 4;
const GROUP_BYTES = 64 * 1024 * 1024;
const MARGIN_MS = 10_000;

export type Ask = <T>(call: () => Promise<T>) => Promise<T>;
type Signed = Permit & { expires_at: string };

export interface Way {
  span(number: number): Blob;
  /** Numbers of the spans that storage lacks. */
  missing(): Promise<number[]>;
  permit(number: number): Promise<Permit>;
}

/** By one PUT. Its address lasts for minutes, so it is used at once, and every other try gets a fresh one. */
export class Whole implements Way {
  #first: Permit | null;

  constructor(readonly ask: Ask, readonly id: string, readonly file: File, first: Permit) {
    this.#first = first;
  }

  span(): Blob {
    return this.file;
  }

  missing(): Promise<number[]> {
    return Promise.resolve([1]);
  }

  async permit(): Promise<Permit> {
    const first = this.#first;
    this.#first = null;
    if (first) return first;
    const { upload } = await this.ask(() => body(api.GET('/api/videos/{video_id}', { params: { path: { video_id: this.id } } })));
    if (upload?.method !== 'PUT') throw new Problem('ALREADY_UPLOADED', 409, '');
    return upload;
  }
}

/** In parts, of which the server knows which ones storage has. */
export class Parts implements Way {
  #waiting: number[] = [];
  #signed = new Map<number, Signed>();
  #checksums = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly ask: Ask, readonly id: string, readonly file: File, readonly partSize: number) {}

  async missing(): Promise<number[]> {
    const { missing, checksums } = await this.ask(() => body(api.GET('/api/videos/{video_id}/upload/parts', this.#path)));
    this.#signed.clear();
    this.#waiting = [...missing];
    this.#checksums = Boolean(checksums); // as the upload was begun, here or elsewhere
    return missing;
  }

  get numbers(): number[] {
    return Array.from({ length: Math.ceil(this.file.size / this.partSize) }, (_, place) => place + 1);
  }

  span(number: number): Blob {
    return this.file.slice((number - 1) * this.partSize, number * this.partSize);
  }

  /** One after the other: whoever signs, signs for the next ones too. */
  permit(number: number): Promise<Permit> {
    const mine = this.#turn.then(() => this.#take(number));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  get #path() {
    return { params: { path: { video_id: this.id } } };
  }

  async #take(number: number): Promise<Permit> {
    this.#waiting = this.#waiting.filter((other) => other !== number);
    const kept = this.#signed.get(number);
    this.#signed.delete(number);
    if (kept && Date.parse(kept.expires_at) - Date.now() > MARGIN_MS) return kept;
    const group = Math.max(1, Math.min(GROUP, Math.floor(GROUP_BYTES / this.partSize)));
    const next = this.#waiting.filter((other) => !this.#signed.has(other)).slice(0, group - 1);
    await this.#sign([number, ...next]);
    const signed = this.#signed.get(number)!; // used even if it looks old: clocks differ, and storage decides
    this.#signed.delete(number);
    return signed;
  }

  async #sign(numbers: number[]): Promise<void> {
    const digests: Record<string, string> = {};
    if (this.#checksums) for (const number of numbers) digests[number] = await sha256(this.span(number));
    const asked = { numbers, sha256: digests };
    const { parts } = await this.ask(() => body(api.POST('/api/videos/{video_id}/upload/parts', { ...this.#path, body: asked })));
    for (const part of parts) this.#signed.set(part.number, part);
  }
}
