// How far an upload is, how fast it goes, and how many parts should go at once.
const WINDOW_MS = 10_000;
const STEP_MS = 250;
const MOST_LANES = 3;
const FAST = 8 * 1024 * 1024; // bytes per second: enough for one lane
const WORTH = 1.2;

/** `there` bytes are in storage. */
export class Meter {
  there = 0;
  /** Bytes that were there when this page began. */
  before: number | null = null;
  /** Bytes that went out, those sent twice included. */
  moved = 0;
  #underWay = new Map<number, number>();
  #seen: { at: number; moved: number }[] = [];

  begin(there: number): void {
    this.there = there;
    this.before ??= there;
    this.#underWay.clear();
  }

  moving(number: number, bytes: number): void {
    this.moved += Math.max(0, bytes - (this.#underWay.get(number) ?? 0));
    this.#underWay.set(number, bytes);
    const now = performance.now();
    if (now - (this.#seen.at(-1)?.at ?? -Infinity) >= STEP_MS) this.#seen.push({ at: now, moved: this.moved });
  }

  lost(number: number): void {
    this.#underWay.delete(number);
  }

  stored(number: number, bytes: number): void {
    this.#underWay.delete(number);
    this.there += bytes;
  }

  get sent(): number {
    return [...this.#underWay.values()].reduce((sum, bytes) => sum + bytes, this.there);
  }

  /** Bytes per second of late; null while that can't be said. */
  get speed(): number | null {
    const now = performance.now();
    while (this.#seen.length > 1 && now - this.#seen[0]!.at > WINDOW_MS) this.#seen.shift();
    const [first] = this.#seen;
    return first && now - first.at > 2 * STEP_MS ? (1000 * (this.moved - first.moved)) / (now - first.at) : null;
  }

  forgetSpeed(): void {
    this.#seen = [];
  }
}

/** A page that is closed loses every part under way, so there is one at a time, and another only where that is faster. */
export class Pace {
  lanes = 1;
  readonly #meter: Meter;
  #before = 0;
  #settled = false;
  #since = 0;
  #moved = 0;
  #arrived = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#look();
  }

  arrived(): void {
    this.#arrived += 1;
    if (this.#settled || this.#arrived < 2 * this.lanes) return;
    const speed = (1000 * (this.#meter.moved - this.#moved)) / (performance.now() - this.#since);
    const pays = speed > WORTH * this.#before;
    this.#settled = !pays || speed > FAST || this.lanes === MOST_LANES;
    if (!pays) this.lanes -= 1;
    else if (!this.#settled) this.lanes += 1;
    this.#before = speed;
    this.#look();
  }

  broke(): void {
    this.lanes = 1;
    this.#before = 0;
    this.#settled = false;
    this.#look();
  }

  #look(): void {
    this.#since = performance.now();
    this.#moved = this.#meter.moved;
    this.#arrived = 0;
  }
}
