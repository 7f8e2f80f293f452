// Files whose upload is not done yet, kept by the browser, so that a reload needs nobody to choose them again.
const NAME = 'biblio';
const STORE = 'uploads';
const LARGEST = 1024 ** 3; // the browser keeps a copy
const SHARE = 0.5; // of what it may keep

export interface KeptUpload {
  key: string;
  file: File;
  videoId: string | null;
}

/** Locks tell whether another tab is at work on a file; without them nothing is kept. */
const canKeep = 'indexedDB' in window && 'locks' in navigator;

let opening: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  return opening;
}

async function run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  return new Promise((done, failed) => {
    const transaction = database.transaction(STORE, mode);
    const request = ask(transaction.objectStore(STORE));
    transaction.oncomplete = () => done(request.result);
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}

export async function keepUpload(upload: KeptUpload): Promise<boolean> {
  if (!canKeep || upload.file.size > LARGEST) return false;
  try {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    if (usage + upload.file.size > SHARE * quota) return false;
    await run('readwrite', (store) => store.put(upload));
    return true;
  } catch {
    return false; // a browser that keeps nothing
  }
}

export async function keptUploads(): Promise<KeptUpload[]> {
  if (!canKeep) return [];
  return run<KeptUpload[]>('readonly', (store) => store.getAll()).catch(() => []);
}

export async function forgetUpload(key: string): Promise<void> {
  if (canKeep) await run('readwrite', (store) => store.delete(key)).catch(() => {});
}

export async function forgetUploads(): Promise<void> {
  if (canKeep) await run('readwrite', (store) => store.clear()).catch(() => {});
}

/** Whether this tab is the one at work on it; it stays so until `over`. */
export function claim(key: string, over: Promise<unknown>): Promise<boolean> {
  if (!canKeep) return Promise.resolve(true);
  return new Promise((answer) => {
    void navigator.locks.request(`biblio-upload-${key}`, { ifAvailable: true }, async (lock) => {
      answer(Boolean(lock));
      if (lock) await over;
    });
  });
}
