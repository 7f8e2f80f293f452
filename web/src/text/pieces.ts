// A text cut where something begins or ends: marks, and words that can be clicked.
import type { Word } from '../api/shapes';

export type Range = readonly [from: number, to: number];

export interface Piece {
  text: string;
  isMarked: boolean;
  /** Place of the word it belongs to. */
  word: number | null;
}

/** `ranges` and `words` are in order. Places count JavaScript's halves of characters. */
export function piecesOf(text: string, ranges: readonly Range[], words: readonly Range[] = []): Piece[] {
  const cuts = [...new Set([0, text.length, ...ranges.flat(), ...words.flat()])].filter((cut) => cut >= 0 && cut <= text.length).sort((a, b) => a - b);
  const holds = (all: readonly Range[], from: number) => all.findIndex(([start, end]) => start <= from && from < end);
  return cuts.slice(0, -1).map((from, place) => {
    const word = holds(words, from);
    return { text: text.slice(from, cuts[place + 1]), isMarked: holds(ranges, from) >= 0, word: word < 0 ? null : word };
  });
}

/** Where each word stands in the sentence; a word that is not found there has an empty place. */
export function placesOf(text: string, words: readonly Word[]): Range[] {
  let from = 0;
  return words.map(([word]) => {
    const at = text.indexOf(word, from);
    if (at < 0) return [from, from];
    from = at + word.length;
    return [at, from];
  });
}

/** The server counts whole characters, JavaScript halves of some. */
export function halves(text: string, ranges: readonly (readonly number[])[]): Range[] {
  if (!/[\ud800-\udfff]/.test(text)) return ranges.map(([from = 0, to = 0]) => [from, to]);
  const starts = [0];
  for (const letter of text) starts.push(starts.at(-1)! + letter.length);
  return ranges.map(([from = 0, to = 0]) => [starts[from] ?? text.length, starts[to] ?? text.length]);
}

const plain = (text: string) => text.normalize('NFC').toLowerCase();

/** Where `query` stands in a text, capitals and blanks aside. */
export function finder(query: string): (text: string) => Range[] {
  const letters = [...plain(query).replace(/\s+/g, '')].map((letter) => letter.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (!letters.length) return () => [];
  const pattern = new RegExp(letters.join('\\s*'), 'gu');
  return (text) => [...plain(text).matchAll(pattern)].map((match) => [match.index, match.index + match[0].length] as const);
}
