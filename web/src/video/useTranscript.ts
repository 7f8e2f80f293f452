import { useQuery } from '@tanstack/react-query';
import { body, api } from '../api/client';
import type { Sentence } from '../api/shapes';

/** Sentences with the times of their words, where they are known. */
export const useTranscript = (id: string, isThere: boolean) => useQuery({
  queryKey: ['transcript', id],
  queryFn: async ({ signal }) => {
    const call = api.GET('/api/videos/{video_id}/transcript', { params: { path: { video_id: id }, query: { format: 'words' } }, signal });
    const { results } = (await body(call)) as unknown as { results: Sentence[] };
    return results;
  },
  enabled: isThere,
  staleTime: Infinity,
});

/** Place of the sentence that is said at `time`, or was last; -1 before the first. */
export function placeAt(sentences: readonly { start_time: number }[], time: number): number {
  let [low, high] = [0, sentences.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sentences[middle]!.start_time <= time + 0.05) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
