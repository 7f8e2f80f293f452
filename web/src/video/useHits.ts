// Search inside one video: where it is said to the letter; where it is not, what is similar in meaning.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo } from 'react';
import { api, body } from '../api/client';
import type { Sentence } from '../api/shapes';
import { finder, type Range } from '../text/pieces';
import { placeAt } from './useTranscript';

const MOST_MOMENTS = 20;

export interface Hits {
  /** Places of sentences, in order; a sentence with two hits is there once. */
  places: number[];
  marks: ReadonlyMap<number, readonly Range[]>;
  isByMeaning: boolean;
  isReady: boolean;
}

export function useHits(id: string, sentences: Sentence[], text: string): Hits {
  const query = useDeferredValue(text.trim());
  const said = useMemo(() => {
    const find = finder(query);
    const marks = new Map<number, readonly Range[]>();
    if (query) sentences.forEach(({ transcript }, place) => { const found = find(transcript); if (found.length) marks.set(place, found); });
    return marks;
  }, [sentences, query]);
  const asks = query.length > 1 && said.size === 0 && sentences.length > 0;
  const { data, isFetching } = useQuery({
    queryKey: ['search-inside', id, query],
    queryFn: ({ signal }) => body(api.GET('/api/search', { params: { query: { q: query, video_id: [id], limit: 1, moments: MOST_MOMENTS } }, signal })),
    enabled: asks,
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => {
    if (said.size) return { places: [...said.keys()], marks: said, isByMeaning: false, isReady: true };
    const moments = asks ? (data?.results[0]?.moments ?? []) : [];
    const places = [...new Set(moments.map(({ start_time }) => placeAt(sentences, start_time)))].filter((place) => place >= 0).sort((a, b) => a - b);
    return { places, marks: said, isByMeaning: true, isReady: !isFetching };
  }, [said, asks, data, sentences, isFetching]);
}
