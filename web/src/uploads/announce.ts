// Telling the server of a file: of a new one, or of one whose upload was begun before, here or elsewhere.
import { api, body } from '../api/client';
import type { components } from '../api/schema';
import { randomKey } from './fingerprint';
import type { Ask } from './ways';

type Upload = components['schemas']['PutUpload'] | components['schemas']['MultipartUpload'];

export interface Announced {
  video_id: string;
  /** null: all has arrived, and the server went on by itself. */
  upload: Upload | null;
}

const ENDED_BADLY = new Set(['CANCELED', 'EXPIRED', 'FAILED']);

export async function announceFile(ask: Ask, file: File, print: string | null, videoId: string | null): Promise<Announced> {
  return (await known(ask, videoId)) ?? (print ? await find(ask, file, print) : null) ?? create(ask, file, print);
}

/** The video that this very upload has begun. */
async function known(ask: Ask, id: string | null): Promise<Announced | null> {
  if (!id) return null;
  const video = await ask(() => body(api.GET('/api/videos/{video_id}', { params: { path: { video_id: id } } }))).catch(() => null);
  if (!video || ENDED_BADLY.has(video.status)) return null;
  return { video_id: id, upload: video.upload ?? null };
}

/** An upload of the same file that no client completed. */
async function find(ask: Ask, file: File, print: string): Promise<Announced | null> {
  const query = { acknowledged: false, fingerprint: print };
  const { videos } = await ask(() => body(api.GET('/api/videos', { params: { query } })));
  const video = videos.find((one) => one.file_size === file.size && !ENDED_BADLY.has(one.status)
    // What has arrived can't be compared any more: then the file must not have changed since.
    && (one.upload || file.lastModified < Date.parse(one.created_at)));
  return video ? { video_id: video.video_id, upload: video.upload ?? null } : null;
}

function create(ask: Ask, file: File, print: string | null): Promise<Announced> {
  const asked = { file_name: file.name, file_size: file.size, mime_type: file.type || null, fingerprint: print };
  // With a key, a request whose answer was lost is repeated without making another video.
  const headers = { 'Idempotency-Key': randomKey() };
  return ask(() => body(api.POST('/api/videos', { body: asked as never, headers: headers as never })));
}
