// The list of videos, and how far each has come.
import { gapsSoFar, isLive, keepLive } from './live.js';
import { api, key } from './server.js';
import { isTimeToLook, lookAtUnfinished, unfinished } from './unfinished.js';
import { transcriptReady } from './video.js';
import { $, announce, copyOf, facts, say } from './words.js';

const POLL_MS = 1500;
const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED']);
const ON_ITS_ROAD = new Set(['PENDING', 'EXTRACTING', 'TRANSCRIBING', 'EMBEDDING', 'INDEXING']);
const NOT_THERE = new Set(['UPLOADING', 'CANCELED', 'EXPIRED', 'DELETING']);

const rows = new Map(); // video id -> { video, node, … of uploads: see unfinished.js }
const underWay = new Set(); // ids of the uploads on this page, which are seen above
let nextPage = null;

export async function loadLibrary(cursor = null) {
  const used = key;
  $('more').hidden = true;
  if (!cursor) {
    keepLive(hear);
    rows.clear();
    $('videos').replaceChildren();
    libraryState(say('loading'));
  }
  try {
    const page = await api(`/videos${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`);
    if (used !== key) return;
    for (const video of page.videos) if (!rows.has(video.video_id)) $('videos').append(addRow(video));
    nextPage = page.next;
    $('more').hidden = !nextPage;
    libraryState(rows.size ? '' : say('empty'));
  } catch (problem) {
    $('more').hidden = !cursor;
    libraryState(problem.message);
  }
}

export const loadMore = () => loadLibrary(nextPage);

export function redrawLibrary() {
  rows.forEach(drawRow);
  libraryState(rows.size ? '' : say('empty'));
}

/** Put a video that has just arrived on top. */
export async function addToLibrary(id) {
  const video = await api(`/videos/${id}`);
  rows.get(id)?.node.remove();
  $('videos').prepend(addRow(video));
  libraryState('');
}

export function setUnderWay(id, isUnderWay) {
  if (isUnderWay) underWay.add(id);
  else underWay.delete(id);
  if (rows.has(id)) drawRow(rows.get(id));
}

function libraryState(sentence) {
  $('library-state').textContent = sentence;
}

function addRow(video) {
  const row = { video, node: copyOf('video-row') };
  rows.set(video.video_id, row);
  row.node.querySelector('.remove').onclick = () => removeVideo(row);
  row.node.querySelector('.steer').onclick = () => steer(row);
  return drawRow(row);
}

function drawRow(row) {
  const { video, node } = row;
  const [title, progress, remove] = ['.title', 'progress', '.remove'].map((part) => node.querySelector(part));
  const { state, hint, percent } = standing(row);
  const about = { title: video.title, status: say(video.status) };
  title.textContent = video.title;
  if (NOT_THERE.has(video.status)) title.removeAttribute('href');
  else title.href = `#video=${video.video_id}`;
  node.hidden = underWay.has(video.video_id);
  node.querySelector('.facts').textContent = [state, facts(video)].filter(Boolean).join(' · ');
  node.querySelector('.hint').textContent = hint;
  node.querySelector('.problem').textContent = video.error?.message ?? '';
  node.dataset.status = video.status;
  progress.hidden = percent === null;
  progress.value = percent ?? 0;
  progress.setAttribute('aria-label', say('progressOf', about));
  drawSteering(row);
  remove.textContent = say('remove');
  remove.setAttribute('aria-label', say('removeOf', about));
  return node;
}

/** What can be done about the work on it: 'cancel', 'reprocess' or nothing. */
function steeringOf({ status, duration }) {
  if (ON_ITS_ROAD.has(status)) return 'cancel';
  return status === 'FAILED' || (status === 'CANCELED' && duration) ? 'reprocess' : null; // else nothing has arrived
}

function drawSteering({ video, node }) {
  const button = node.querySelector('.steer');
  const act = steeringOf(video);
  button.hidden = !act;
  if (!act) return;
  button.textContent = say(act);
  button.setAttribute('aria-label', `${say(act)}: ${video.title}`);
}

async function steer(row) {
  const act = steeringOf(row.video);
  if (!act) return;
  try {
    await api(`/videos/${row.video.video_id}/${act}`, { method: 'POST' });
    if (!isLive()) await refresh(row);
  } catch (problem) {
    row.node.querySelector('.problem').textContent = problem.message;
  }
}

/** How far a video is: in words, what to do about it, and in percent (null: nothing moves any more). */
function standing(row) {
  const { status, progress: percent } = row.video;
  if (status === 'UPLOADING') return { ...unfinished(row), percent: row.arrived ?? null };
  if (status === 'COMPLETED') return { state: '', hint: '', percent: null };
  if (ENDED.has(status)) return { state: say(status), hint: '', percent: null };
  return { state: `${say(status)} · ${percent} %`, hint: '', percent };
}

async function removeVideo({ video, node }) {
  if (!confirm(say('sureRemove', video))) return;
  const path = `/videos/${video.video_id}`;
  try {
    // Storage is free at once; a file that has just arrived goes with its video.
    if (video.status === 'UPLOADING') await api(`${path}/upload`, { method: 'DELETE' }).catch(() => {});
    await api(path, { method: 'DELETE' });
    dropRow(video.video_id);
  } catch (problem) {
    node.querySelector('.problem').textContent = problem.message;
  }
}

export function dropRow(id) {
  rows.get(id)?.node.remove();
  rows.delete(id);
  if (!rows.size) libraryState(say('empty'));
}

/** One question at a time, only about videos still on their road and not heard of live, and none while nobody looks. */
export async function poll() {
  keepLive(hear);
  for (const row of document.hidden ? [] : [...rows.values()]) {
    if (!key || ENDED.has(row.video.status) || !rows.has(row.video.video_id)) continue;
    if (row.video.status === 'UPLOADING' && (underWay.has(row.video.video_id) || !isTimeToLook(row))) continue;
    if (row.video.status !== 'UPLOADING' && isLive() && row.asked === gapsSoFar()) continue;
    await refresh(row);
  }
  setTimeout(poll, POLL_MS);
}

async function refresh(row) {
  const { video_id: id } = row.video;
  try {
    const asked = gapsSoFar();
    const fresh = await api(`/videos/${id}/status`);
    if (fresh.status === 'UPLOADING') await lookAtUnfinished(row);
    await show(row, fresh);
    row.asked = asked;
    $('offline').hidden = true;
  } catch (problem) {
    if (problem.status === 404) dropRow(id);
    $('offline').hidden = Boolean(problem.status);
  }
}

function hear({ kind, detail, ...fresh }) {
  const row = rows.get(fresh.video_id);
  if (!row) return;
  if (fresh.status === 'DELETING') dropRow(fresh.video_id);
  else show(row, fresh, kind === 'title').catch(() => { row.asked = null; }); // the next round asks
}

/** `fresh` is how it stands now. */
async function show(row, fresh, isRenamed = false) {
  const { video_id: id, title, status, event_id: known = 0 } = row.video;
  if (fresh.event_id < known) return; // an answer that was overtaken
  // What the status does not tell (length, language, title) is known once the video is done.
  const isWhole = fresh.status === 'COMPLETED' || isRenamed;
  row.video = { ...(isWhole ? await api(`/videos/${id}`) : { ...row.video, ...fresh }), event_id: fresh.event_id };
  drawRow(row);
  if (fresh.status === status) return;
  announce(fresh.status === 'COMPLETED' ? say('ready', { title }) : say('said', { title, status: say(fresh.status) }));
  if (ENDED.has(fresh.status)) transcriptReady(id);
}
