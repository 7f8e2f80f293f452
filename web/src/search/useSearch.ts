// What is looked for stands in the address; answers come page by page.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useSearchParams } from 'wouter';
import { api, body } from '../api/client';
import type { FoundVideo } from '../api/shapes';

const VIDEOS = 10;
const MOMENTS = 10;
const DAY_MS = 86_400_000;

export const LENGTHS = { under10: [undefined, 600], to60: [600, 3600], over60: [3600, undefined] } as const;
export const PERIODS = { lastWeek: 7, lastMonth: 31, lastYear: 366 } as const;
export const MODES = { keyword: 'byKeyword', semantic: 'bySemantic' } as const;

const NAMES = ['mode', 'language', 'length', 'added', 'title'] as const;
export type FilterName = (typeof NAMES)[number];
export type SearchFilters = Partial<Record<FilterName, string>>;

export interface Asked {
  q: string;
  /** A moment that others are to be like. */
  like: { id: string; time: number } | null;
  filters: SearchFilters;
}

export interface Answer {
  results: FoundVideo[];
  next: string | null;
  relaxed: boolean;
  /** What is said at the moment that others are like. */
  text: string | null;
}

export function useAsked() {
  const [place, setPlace] = useSearchParams();
  const like = place.get('like');
  const asked: Asked = {
    q: (place.get('q') ?? '').trim(),
    like: like ? { id: like, time: Number(place.get('t')) || 0 } : null,
    filters: Object.fromEntries(NAMES.map((name) => [name, place.get(name) ?? '']).filter(([, value]) => value)),
  };
  function filter(name: FilterName, value: string): void {
    setPlace((before) => {
      const next = new URLSearchParams(before);
      if (value) next.set(name, value);
      else next.delete(name);
      return next;
    });
  }
  function clear(): void {
    setPlace((before) => {
      const next = new URLSearchParams(before);
      NAMES.forEach((name) => next.delete(name));
      return next;
    });
  }
  return { asked, filter, clear };
}

export function useSearch(asked: Asked) {
  return useInfiniteQuery({
    queryKey: ['search', asked],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => (asked.like ? alike(asked.like, signal) : found(asked, pageParam, signal)),
    getNextPageParam: (page) => page.next,
    enabled: Boolean(asked.q || asked.like),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

async function found({ q, filters }: Asked, cursor: string | null, signal: AbortSignal): Promise<Answer> {
  const [shortest, longest] = LENGTHS[filters.length as keyof typeof LENGTHS] ?? [];
  const days = PERIODS[filters.added as keyof typeof PERIODS];
  const query = {
    q, limit: VIDEOS, moments: MOMENTS, cursor,
    mode: filters.mode && filters.mode in MODES ? (filters.mode as keyof typeof MODES) : undefined,
    language: filters.language, title: filters.title, min_duration: shortest, max_duration: longest,
    from: days ? new Date(Math.floor(Date.now() / DAY_MS - days) * DAY_MS).toISOString() : undefined,
  };
  const { results, next, relaxed } = await body(api.GET('/api/search', { params: { query }, signal }));
  return { results, next, relaxed, text: null };
}

async function alike({ id, time }: { id: string; time: number }, signal: AbortSignal): Promise<Answer> {
  const parameters = { path: { video_id: id }, query: { t: time, limit: VIDEOS, moments: MOMENTS } };
  const { results, text } = await body(api.GET('/api/videos/{video_id}/similar', { params: parameters, signal }));
  return { results, next: null, relaxed: false, text };
}
