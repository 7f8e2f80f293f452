// Whether the server can be reached. Whoever talks to it reports; the banner and the live line listen.
type Listener = () => void;

const listeners = new Set<Listener>();
let reached = navigator.onLine;

export const isReached = () => reached;

export function setReached(now: boolean): void {
  if (now === reached) return;
  reached = now;
  listeners.forEach((tell) => tell());
}

export function onReach(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener('offline', () => setReached(false));
