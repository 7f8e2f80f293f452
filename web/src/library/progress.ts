// The steps of the road, and their shares of a video's progress (docs/flow.md).
import type { Status } from '../api/shapes';
import type { TextName } from '../text/words';

export interface Stage {
  status: Status;
  name: TextName;
  from: number;
  to: number;
}

export const STAGES: readonly Stage[] = [
  { status: 'EXTRACTING', name: 'stepExtract', from: 0, to: 10 },
  { status: 'TRANSCRIBING', name: 'stepTranscribe', from: 10, to: 85 },
  { status: 'EMBEDDING', name: 'stepEmbed', from: 85, to: 95 },
  { status: 'INDEXING', name: 'stepIndex', from: 95, to: 99 },
];

/** How much of a stage is done, 0 to 1. */
export function doneOf({ from, to }: Stage, progress: number): number {
  return Math.min(1, Math.max(0, (progress - from) / (to - from)));
}
