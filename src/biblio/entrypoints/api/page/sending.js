// A file's whole road from disk to storage, taken up where it was left: by this page, another one, or another device.
import { deliver, requireReadable } from './delivery.js';
import { fingerprint, randomKey } from './fingerprint.js';
import { patiently } from './patience.js';
import { api } from './server.js';
import { say } from './words.js';
import { Parts, Whole } from './ways.js';

const MOST_ROUNDS = 5;
/** What another look at what storage holds may heal: parts it lost, an upload it forgot, another device that was faster. */
const NOT_ALL_THERE = new Set([
  'PARTS_MISSING', 'PARTS_CHANGED', 'OBJECT_MISSING', 'UPLOAD_UNKNOWN', 'CHECKSUM_MISSING', 'CHECKSUM_UNEXPECTED',
]);
const ENDED_BADLY = new Set(['CANCELED', 'EXPIRED', 'FAILED']);

/**
 * Ends when the server has taken the file. `meter` tells how far it is; `onOpen(id)` is called when the server knows the video,
 * `onChecking` when all its bytes are in storage.
 */
export async function send(file, { meter, signal, as, onOpen, onChecking }) {
  const onTrouble = (problem) => { meter.trouble = troubleOf(problem); };
  const ask = (path, options) => patiently(() => api(path, { as, signal, ...options }), signal, onTrouble);
  await requireReadable(file);
  const print = await fingerprint(file);
  const { video_id: id, upload } = (print && (await find(ask, file, print))) || (await create(ask, file, print));
  if (!upload) {
    onOpen(id);
    return ask(`/videos/${id}/upload-complete`, { method: 'POST' });
  }
  const way = upload.method === 'PUT' ? new Whole(ask, id, file, upload) : new Parts(ask, id, file, upload);
  onOpen(id);
  for (let round = 1; ; round += 1) {
    try {
      await sendMissing(way, { meter, signal });
      await requireReadable(file); // what was sent is one file, not two halves
      onChecking();
      return await ask(`/videos/${id}/upload-complete`, { method: 'POST' });
    } catch (problem) {
      if (!NOT_ALL_THERE.has(problem.code) || round === MOST_ROUNDS) throw problem;
    }
  }
}

/** An upload of the same file that no client completed. Without `upload`, all had arrived, and the server went on by itself. */
async function find(ask, file, print) {
  const { videos } = await ask(`/videos?${new URLSearchParams({ acknowledged: false, fingerprint: print })}`);
  return videos.find((video) => video.file_size === file.size && !ENDED_BADLY.has(video.status)
    // What has arrived can't be compared any more: then the file must not have changed since.
    && (video.upload || file.lastModified < Date.parse(video.created_at)));
}

function create(ask, file, print) {
  const asked = { file_name: file.name, file_size: file.size, mime_type: file.type || null, fingerprint: print };
  // With a key, a request whose answer was lost is repeated without making another video; and none is made unseen, so no signal.
  const headers = { 'Idempotency-Key': randomKey() };
  return ask('/videos', { method: 'POST', body: JSON.stringify(asked), headers, signal: null });
}

async function sendMissing(way, { meter, signal }) {
  try {
    const missing = await way.missing();
    const sizes = missing.map((number) => way.span(number).size);
    meter.begin(way.file.size - sizes.reduce((sum, size) => sum + size, 0));
    await deliver(way, missing, meter, signal);
  } catch (problem) {
    if (problem.code !== 'ALREADY_UPLOADED') throw problem; // storage's event or the sweep was faster
  }
}

/** End an upload: nothing of it stays, neither in storage nor in the library. */
export async function forget(id, as) {
  const end = (path) => patiently(() => api(path, { method: 'DELETE', as }), new AbortController().signal);
  await end(`/videos/${id}/upload`).catch(() => {}); // a file that has arrived already goes with its video
  await end(`/videos/${id}`).catch(() => {}); // was it removed elsewhere?
}

function troubleOf({ status, message }) {
  if (status) return message;
  return say(navigator.onLine ? 'noServer' : 'noLine');
}
