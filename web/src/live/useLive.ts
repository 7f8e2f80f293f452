// The page hears of changes by a socket. Where none comes about, it asks.
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { api, body } from '../api/client';
import { isReached, onReach } from '../api/reach';
import { isMoving } from '../api/shapes';
import { hear, knownVideos } from './library';
import { openLine } from './socket';

const POLL_MS = 2000;
const MOST_AT_ONCE = 20;

export const useReached = () => useSyncExternalStore(onReach, isReached);

export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => {
    let lacks = false; // something may have happened that nobody told
    const line = openLine({
      onEvent: (event) => hear(client, event),
      onOpen: (mayLack) => {
        if (mayLack || lacks) void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
        lacks = false;
      },
      onLost: () => { lacks = true; },
    });
    const timer = window.setInterval(() => { if (!line.isOpen() && !document.hidden) void askAll(client); }, POLL_MS);
    return () => { window.clearInterval(timer); line.close(); };
  }, [client]);
}

/** Also finds out whether the server is there again. */
async function askAll(client: QueryClient): Promise<void> {
  const moving = [...knownVideos(client).values()].filter(isMoving).slice(0, MOST_AT_ONCE);
  try {
    if (!moving.length && !isReached()) await body(api.GET('/healthz'));
    for (const { video_id } of moving) {
      hear(client, await body(api.GET('/api/videos/{video_id}/status', { params: { path: { video_id } } })));
    }
  } catch {
    // the banner tells
  }
}
