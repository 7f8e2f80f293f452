// One line to the server, by which everything that happens to the user's videos is heard, once and in order.
import type { VideoEvent } from '../api/shapes';
import { setReached } from '../api/reach';

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

export interface Line {
  isOpen(): boolean;
  close(): void;
}

interface Ears {
  onEvent(event: VideoEvent): void;
  /** The line is there. `mayLack`: something may have happened that it does not tell. */
  onOpen(mayLack: boolean): void;
  onLost(): void;
}

export function openLine({ onEvent, onOpen, onLost }: Ears): Line {
  let socket: WebSocket | null = null;
  let after: number | null = null;
  let failures = 0;
  let isOpen = false;
  let closed = false;
  let timer: number | undefined;

  function connect(): void {
    window.clearTimeout(timer);
    if (closed || socket) return;
    const query = after === null ? '' : `?after=${after}`;
    const mine = new WebSocket(`${location.origin.replace('http', 'ws')}/api/events${query}`, ['biblio']);
    socket = mine;
    mine.onopen = () => {
      const mayLack = after === null;
      failures = 0;
      isOpen = true;
      setReached(true);
      onOpen(mayLack);
    };
    mine.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as VideoEvent;
      after = event.event_id;
      onEvent(event);
    };
    mine.onclose = () => {
      if (mine !== socket) return;
      socket = null;
      isOpen = false;
      if (closed) return;
      if (failures) after = null; // it may be the point that is refused
      failures += 1;
      onLost();
      const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
      timer = window.setTimeout(connect, pause);
    };
  }

  const drop = () => socket?.close(); // a line that died without a word
  window.addEventListener('online', connect);
  window.addEventListener('offline', drop);
  connect();
  return {
    isOpen: () => isOpen,
    close() {
      closed = true;
      window.clearTimeout(timer);
      window.removeEventListener('online', connect);
      window.removeEventListener('offline', drop);
      socket?.close();
    },
  };
}
