// Uploads in the library that are not under way on this page: how far they came, and how they go on.
import { canHash } from './fingerprint.js';
import { api } from './server.js';
import { say } from './words.js';

const LOOK_MS = 10_000;
const ALIVE_MS = 45_000; // a part that takes longer makes another page's upload look interrupted

/** Ask what has arrived, now and then; `row.arrived` is in percent, null for a file that comes whole or not at all. */
export async function lookAtUnfinished(row) {
  row.lookAt = performance.now() + LOOK_MS;
  if (row.arrived === null) return;
  const { file_size: size, video_id: id } = row.video;
  try {
    const { parts } = await api(`/videos/${id}/upload/parts`);
    const arrived = Math.floor((100 * parts.reduce((sum, part) => sum + part.size, 0)) / size);
    if (row.arrived !== undefined && arrived > row.arrived) row.movedAt = performance.now();
    row.arrived = Math.min(100, arrived);
  } catch (problem) {
    if (problem.code !== 'NOT_MULTIPART') throw problem;
    row.arrived = null;
  }
}

export const isTimeToLook = (row) => performance.now() >= (row.lookAt ?? 0);

/** { state, hint } in words. */
export function unfinished({ video, arrived: percent, movedAt = -Infinity }) {
  if (percent === undefined) return { state: say('UPLOADING'), hint: '' }; // not known yet
  if (performance.now() - movedAt < ALIVE_MS) return { state: say('elsewhere', { percent }), hint: '' };
  const state = percent ? say('interruptedAt', { percent }) : say('interrupted');
  return { state, hint: canHash ? say('chooseAgain', video) : '' }; // without a fingerprint no file is known again
}
