import { useQuery } from '@tanstack/react-query';
import { body, api } from '../api/client';
import type { Sentence } from '../api/shapes';

/** Sentences with the times of their words, where they are known. */
export const useTranscript = (id: string, isThere: boolean) => useQuery({
  queryKey: ['transcript', id],
  queryFn: async ({ signal }) => {
    const words = api.GET('/api/videos/{video_id}/transcript', { params: { path: { video_id: id }, query: { format: 'words' as never } }, signal });
    const call = body(words).catch((problem) => (problem.status === 422 ? body(api.GET('/api/videos/{video_id}/transcript', { params: { path: { video_id: id } } })) : Promise.reject(problem)));
    const { results } = (await call) as unknown as { results: (Omit<Sentence, 'words'> & Partial<Sentence>)[] };
    return results.map((sentence): Sentence => ({ ...sentence, words: sentence.words ?? [] }));
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
