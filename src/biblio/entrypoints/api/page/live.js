// What happens to the user's videos, as it happens. Where no socket comes about, the library goes on asking.
import { key } from './server.js';

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

let socket = null;
let as = null; // the key it was opened with
let after = null; // the newest event heard of
let failures = 0;
let tryAt = 0;
let gaps = 0;

export const isLive = () => socket?.readyState === WebSocket.OPEN && as === key;

/** Grows whenever something may have happened that was not heard of. */
export const gapsSoFar = () => gaps;

/** To be called now and then: sees to it that there is a socket of the present key, if there can be one. */
export function keepLive(hear) {
  if (as !== key) {
    socket?.close();
    [socket, as, after, failures, tryAt] = [null, key, null, 0, 0];
  }
  if (socket || !key || performance.now() < tryAt) return;
  const address = `${location.origin.replace('http', 'ws')}/api/events${after === null ? '' : `?after=${after}`}`;
  try {
    open(new WebSocket(address, ['biblio', `key.${key}`]), hear); // a socket has no other place for a key
  } catch {
    tryAt = Infinity; // a key with signs that none may have there
  }
}

function open(mine, hear) {
  socket = mine;
  mine.onopen = () => { failures = 0; if (after === null) gaps += 1; };
  mine.onmessage = ({ data }) => {
    if (mine !== socket) return;
    const event = JSON.parse(data);
    after = event.event_id;
    hear(event);
  };
  mine.onclose = () => {
    if (mine !== socket) return;
    socket = null;
    if (failures) after = null; // it may be the point that is refused
    tryAt = performance.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
  };
}
