// The list of videos, and how far each has come.
import { api, key } from './server.js';
import { transcriptReady } from './video.js';
import { $, announce, copyOf, facts, say } from './words.js';

const POLL_MS = 1500;
const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED']);
const NOT_THERE = new Set(['UPLOADING', 'EXPIRED', 'DELETING']);

const rows = new Map(); // video id -> { video, node }
let nextPage = null;

export async function loadLibrary(cursor = null) {
  const used = key;
  $('more').hidden = true;
  if (!cursor) {
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
  if (!rows.has(id)) $('videos').prepend(addRow(video));
  libraryState('');
}

function libraryState(sentence) {
  $('library-state').textContent = sentence;
}

function addRow(video) {
  const row = { video, node: copyOf('video-row') };
  rows.set(video.video_id, row);
  row.node.querySelector('.remove').onclick = () => removeVideo(row);
  return drawRow(row);
}

function drawRow({ video, node }) {
  const [title, progress, remove] = ['.title', 'progress', '.remove'].map((part) => node.querySelector(part));
  const about = { title: video.title, status: say(video.status) };
  title.textContent = video.title;
  if (NOT_THERE.has(video.status)) title.removeAttribute('href');
  else title.href = `#video=${video.video_id}`;
  const status = ENDED.has(video.status) ? about.status : `${about.status} · ${video.progress} %`;
  node.querySelector('.facts').textContent = video.status === 'COMPLETED' ? facts(video) : `${status} · ${facts(video)}`;
  node.querySelector('.problem').textContent = video.error?.message ?? '';
  node.dataset.status = video.status;
  progress.hidden = ENDED.has(video.status);
  progress.value = video.progress;
  progress.setAttribute('aria-label', say('progressOf', about));
  remove.textContent = say('remove');
  remove.setAttribute('aria-label', say('removeOf', about));
  return node;
}

async function removeVideo({ video, node }) {
  if (!confirm(say('sureRemove', video))) return;
  try {
    await api(`/videos/${video.video_id}`, { method: 'DELETE' });
    dropRow(video.video_id);
  } catch (problem) {
    node.querySelector('.problem').textContent = problem.message;
  }
}

function dropRow(id) {
  rows.get(id)?.node.remove();
  rows.delete(id);
  if (!rows.size) libraryState(say('empty'));
}

/** One question at a time, only about videos still on their road, and none while nobody looks. */
export async function poll() {
  for (const row of document.hidden ? [] : [...rows.values()]) {
    if (!key || ENDED.has(row.video.status) || !rows.has(row.video.video_id)) continue;
    await refresh(row);
  }
  setTimeout(poll, POLL_MS);
}

async function refresh(row) {
  const { video_id: id, title, status } = row.video;
  try {
    const fresh = await api(`/videos/${id}/status`);
    // What the status call does not tell (length, language) is known once the video is done.
    row.video = fresh.status === 'COMPLETED' ? await api(`/videos/${id}`) : { ...row.video, ...fresh };
    $('offline').hidden = true;
    drawRow(row);
    if (fresh.status === status) return;
    announce(fresh.status === 'COMPLETED' ? say('ready', { title }) : say('said', { title, status: say(fresh.status) }));
    if (ENDED.has(fresh.status)) transcriptReady(id);
  } catch (problem) {
    if (problem.status === 404) dropRow(id);
    $('offline').hidden = Boolean(problem.status);
  }
}
