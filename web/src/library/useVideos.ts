// Pages of the list, one after the other as they are scrolled to.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { api, body } from '../api/client';
import type { Status, Video } from '../api/shapes';
import { listKey, type ListParameters } from '../live/library';
import { STATUSES, type StatusGroup } from './choices';

const PAGE = 60;
const NAMES = ['sort', 'status', 'language', 'title'] as const;

/** What is asked for stands in the address. */
export function useListParameters() {
  const [place, setPlace] = useSearchParams();
  const asked = Object.fromEntries(NAMES.map((name) => [name, place.get(name) ?? '']).filter(([, value]) => value)) as ListParameters;
  function ask(change: ListParameters): void {
    setPlace((before) => {
      const next = new URLSearchParams(before);
      for (const [name, value] of Object.entries(change)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      return next;
    }, { replace: true });
  }
  return { asked, ask };
}

export function useVideos(asked: ListParameters) {
  const query = useInfiniteQuery({
    queryKey: listKey(asked),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => body(api.GET('/api/videos', {
      params: { query: parametersOf(asked, pageParam) },
      signal,
    })),
    getNextPageParam: (page) => page.next,
    staleTime: 5 * 60_000, // changes are heard
    structuralSharing: false, // comparing thousands takes longer than drawing some
  });
  const videos = useMemo<Video[]>(() => query.data?.pages.flatMap((page) => page.videos) ?? [], [query.data]);
  return { ...query, videos, total: query.data?.pages[0]?.total ?? null };
}

function parametersOf({ status, sort, language, title }: ListParameters, cursor: string | null) {
  const group = status && status in STATUSES ? [...STATUSES[status as StatusGroup]] as Status[] : undefined;
  return { limit: PAGE, cursor, sort: sort as never, status: group, language, title, count: cursor === null };
}
