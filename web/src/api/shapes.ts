// The API's JSON by the names the page uses.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Status = Schemas['Status'];
export type Step = Schemas['Step'];
export type VideoError = Schemas['VideoError'];
export type VideoStatus = Schemas['VideoStatus'];
export type VideoEvent = Schemas['VideoEvent'];
export type Video = Schemas['ListedVideo'];
export type WholeVideo = Schemas['WholeVideo'];
export type VideoPage = Schemas['VideoPage'];
export type Media = Schemas['Media'];
export type Moment = Omit<Schemas['FoundMoment'], 'highlights'> & { highlights: readonly (readonly number[])[] };
export type FoundVideo = Omit<Schemas['FoundVideo'], 'moments'> & { moments: Moment[] };

/** What was heard, and from when to when, in seconds. */
export type Word = [text: string, start: number, end: number];

export interface Sentence {
  transcript: string;
  start_time: number;
  end_time: number;
  words: Word[];
}

export const MOVING: ReadonlySet<Status> = new Set<Status>(['PENDING', 'EXTRACTING', 'TRANSCRIBING', 'EMBEDDING', 'INDEXING']);
export const isMoving = ({ status }: { status: Status }) => MOVING.has(status);
