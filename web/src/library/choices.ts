import type { TextName } from '../text/words';

export const LANGUAGES = ['ko', 'en', 'ja', 'zh', 'es', 'fr', 'de', 'ru', 'vi', 'pt', 'it', 'ar', 'hi', 'id', 'th'] as const;

export const MODELS: readonly [value: string, text: TextName][] = [['', 'modelKeep'], ['fast', 'modelFast'], ['high_quality', 'modelHigh']];

export const SORTS = ['newest', 'oldest', 'title', 'longest', 'shortest', 'updated'] as const satisfies readonly TextName[];

/** What a reader asks for, and the statuses that it means. */
export const STATUSES = {
  ready: ['COMPLETED'],
  working: ['UPLOADING', 'PENDING', 'EXTRACTING', 'TRANSCRIBING', 'EMBEDDING', 'INDEXING'],
  failed: ['FAILED'],
  ended: ['CANCELED', 'EXPIRED'],
} as const;
export type StatusGroup = keyof typeof STATUSES;
