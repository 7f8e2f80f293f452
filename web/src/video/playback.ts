// The player as others see it: where it is, and how to bring it elsewhere. Times in seconds.
import { useSyncExternalStore } from 'react';

const TICK_MS = 100;

export interface Seen {
  time: number;
  duration: number;
  isPlaying: boolean;
  rate: number;
}

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

export class Playback {
  #media: HTMLMediaElement | null = null;
  #seen: Seen = { time: 0, duration: 0, isPlaying: false, rate: 1 };
  #timer: number | undefined;
  #wanted: { time: number; play: boolean } | null = null;
  readonly #listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  seen = (): Seen => this.#seen;

  /** A ref: takes the element when it is there, and lets go of it. */
  attach = (media: HTMLMediaElement | null): void => {
    window.clearInterval(this.#timer);
    this.#media = media;
    if (!media) return;
    for (const event of ['timeupdate', 'seeking', 'seeked', 'durationchange', 'ratechange', 'play', 'pause', 'ended', 'loadedmetadata']) {
      media.addEventListener(event, this.#look);
    }
    this.#timer = window.setInterval(() => { if (!media.paused) this.#look(); }, TICK_MS); // browsers tell four times a second only
    if (this.#wanted) this.seek(this.#wanted.time, this.#wanted.play);
  };

  #look = (): void => {
    const media = this.#media;
    if (!media) return;
    const next = { time: media.currentTime, duration: Number.isFinite(media.duration) ? media.duration : 0, isPlaying: !media.paused && !media.ended, rate: media.playbackRate };
    const old = this.#seen;
    if (next.time === old.time && next.duration === old.duration && next.isPlaying === old.isPlaying && next.rate === old.rate) return;
    this.#seen = next;
    this.#listeners.forEach((tell) => tell());
  };

  seek = (time: number, play = false): void => {
    const media = this.#media;
    if (!media) { this.#wanted = { time, play }; return; }
    this.#wanted = null;
    const most = Number.isFinite(media.duration) ? media.duration : Infinity;
    media.currentTime = Math.min(most, Math.max(0, time)); // before anything is loaded: where playing will begin
    if (play) media.play().catch(() => {}); // browsers play by themselves only after a click
    this.#look();
  };

  move = (seconds: number): void => this.seek((this.#media?.currentTime ?? 0) + seconds);

  toggle = (): void => {
    const media = this.#media;
    if (!media) return;
    if (media.paused) media.play().catch(() => {});
    else media.pause();
  };

  setRate = (rate: number): void => {
    if (this.#media) this.#media.playbackRate = rate;
    this.#look();
  };

  /** The next faster or slower one. */
  changeRate = (by: 1 | -1): void => {
    const at = RATES.findIndex((rate) => rate >= this.#seen.rate);
    const next = RATES[Math.min(RATES.length - 1, Math.max(0, at + by))];
    if (next) this.setRate(next);
  };
}

/** Draws again only when what `choose` returns has changed. */
export function usePlayback<T extends string | number | boolean>(playback: Playback, choose: (seen: Seen) => T): T {
  return useSyncExternalStore(playback.subscribe, () => choose(playback.seen()));
}
