// What a video's player needs.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, body } from '../api/client';

const FRESH_MS = 60_000;

const pathOf = (id: string) => ({ params: { path: { video_id: id } } });

export const useMedia = (id: string, isThere = true) => useQuery({
  queryKey: ['media', id],
  queryFn: ({ signal }) => body(api.GET('/api/videos/{video_id}/media', { ...pathOf(id), signal })),
  enabled: isThere,
  staleTime: FRESH_MS,
  refetchOnMount: true,
});

/** The address of the captions, as an object of this page: a track must be of the page's own origin. */
export function useCaptions(id: string, isThere: boolean): string | null {
  const { data } = useQuery({
    queryKey: ['captions', id],
    queryFn: async ({ signal }) => {
      const answer = await fetch(`/api/videos/${id}/transcript?format=vtt`, { signal });
      return answer.ok ? answer.text() : '';
    },
    enabled: isThere,
    staleTime: Infinity,
  });
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(new Blob([data], { type: 'text/vtt' }));
    setUrl(made);
    return () => { URL.revokeObjectURL(made); setUrl(null); };
  }, [data]);
  return url;
}
