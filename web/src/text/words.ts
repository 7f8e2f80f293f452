// Words, numbers and times in the reader's language.
import { useSyncExternalStore } from 'react';
import { Problem } from '../api/problem';
import { en } from './en';
import { ko } from './ko';
import { explain } from './problems';

export type Language = 'en' | 'ko';
export type TextName = keyof typeof en;
export type Values = Record<string, string | number>;

const TEXTS = { en, ko };
const KEPT = 'biblio.language';
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

const isLanguage = (tag: unknown): tag is Language => tag === 'en' || tag === 'ko';

export class Words {
  readonly #plural: Intl.PluralRules;
  readonly #date: Intl.DateTimeFormat;
  readonly #names: Intl.DisplayNames;
  readonly #number: Intl.NumberFormat;

  constructor(readonly language: Language) {
    this.#plural = new Intl.PluralRules(language);
    this.#date = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
    this.#names = new Intl.DisplayNames(language, { type: 'language', fallback: 'code' });
    this.#number = new Intl.NumberFormat(language);
  }

  /** `{count, video}` in a text is the number with its noun. */
  say = (name: TextName, values: Values = {}): string =>
    TEXTS[this.language][name].replace(/\{(\w+)(?:, (\w+))?\}/g, (_, key: string, noun?: string) => {
      const value = values[key] ?? '';
      const shown = typeof value === 'number' ? this.#number.format(value) : value;
      if (!noun) return shown;
      return `${shown} ${noun}${this.#plural.select(Number(value)) === 'one' ? '' : 's'}`;
    });

  problem = (problem: unknown): string => {
    if (problem instanceof Problem) return explain(this.language, problem.code, problem.message);
    return explain(this.language, undefined, problem instanceof Error ? problem.message : '');
  };

  failure = ({ code, message }: { code: string; message: string }): string => explain(this.language, code, message);
  date = (iso: string): string => this.#date.format(new Date(iso));
  languageName = (tag: string): string => this.#names.of(tag) ?? tag;

  bytes = (count: number): string => {
    const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
    return `${(count / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${UNITS[power]}`;
  };

  /** "40 sec", "12 min", "1 hr 5 min": no finer than anybody can foresee. */
  span = (seconds: number): string => {
    if (seconds < 57) return this.#unit(Math.max(5, Math.ceil(seconds / 5) * 5), 'second');
    const minutes = Math.ceil(seconds / 60);
    if (minutes < 60) return this.#unit(minutes, 'minute');
    return `${this.#unit(Math.floor(minutes / 60), 'hour')} ${this.#unit(minutes % 60, 'minute')}`;
  };

  #unit(count: number, unit: string): string {
    return new Intl.NumberFormat(this.language, { style: 'unit', unit, unitDisplay: 'short' }).format(count);
  }
}

/** 1:02:03, or 2:03 within the first hour. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number: number) => String(number).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function firstLanguage(): Language {
  try {
    const kept = localStorage.getItem(KEPT);
    if (isLanguage(kept)) return kept;
  } catch {
    // a browser that keeps nothing
  }
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';
}

let words = new Words(firstLanguage());
const listeners = new Set<() => void>();
document.documentElement.lang = words.language;

export const currentWords = () => words;

export function setLanguage(language: Language): void {
  words = new Words(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // it stays for as long as the page is open
  }
  listeners.forEach((tell) => tell());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useWords = () => useSyncExternalStore(subscribe, currentWords);
