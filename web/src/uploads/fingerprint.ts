// Knowing a file again, on any device, without reading all of it.
const SAMPLE = 1024 * 1024;

/** Browsers do arithmetic of this kind for pages from https:// and from this machine only. */
const canHash = Boolean(globalThis.crypto?.subtle);

/** SHA-256 of what is in a blob, in hex. */
export async function sha256(blob: Blob): Promise<string> {
  return hex(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
}

/** Of the size, a line feed and three samples or a small file's all, as `biblio ingest` makes it; null where the browser can't. */
export async function fingerprint(file: Blob): Promise<string | null> {
  if (!canHash) return null;
  const starts = [0, Math.floor(file.size / 2), file.size - SAMPLE];
  const samples = file.size > 3 * SAMPLE ? starts.map((start) => file.slice(start, start + SAMPLE)) : [file];
  return sha256(new Blob([`${file.size}\n`, ...samples]));
}

/** 128 random bits in hex. */
export const randomKey = () => hex(crypto.getRandomValues(new Uint8Array(16)).buffer);

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
