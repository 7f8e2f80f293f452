// The uploads of this page as they are seen. The engine writes, the views read.
import { useSyncExternalStore } from 'react';
import type { TextName, Values } from '../text/words';

export type Phase = 'waiting' | 'preparing' | 'sending' | 'paused' | 'checking' | 'done' | 'failed';

/** A sentence of the page, or a problem of the server's. */
export type Told = { text: TextName; values?: Values } | { problem: unknown };

export interface UploadView {
  key: string;
  name: string;
  size: number;
  phase: Phase;
  videoId: string | null;
  /** Bytes that have left, those of unfinished parts included. */
  sent: number;
  speed: number | null;
  told: Told | null;
  goesOn: boolean;
}

let uploads: readonly UploadView[] = [];
const listeners = new Set<() => void>();

export const currentUploads = () => uploads;

export function showUploads(next: readonly UploadView[]): void {
  uploads = next;
  listeners.forEach((tell) => tell());
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useUploads = () => useSyncExternalStore(subscribe, currentUploads);

/** Whether this page is at work on a video that has not arrived yet. */
export function useUploading(videoId: string): boolean {
  return useSyncExternalStore(subscribe, () => uploads.some((one) => one.videoId === videoId && one.phase !== 'failed' && one.phase !== 'done'));
}
