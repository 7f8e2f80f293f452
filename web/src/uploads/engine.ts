// The queue of uploads: one file at a time, each taken up where it was left, by this page, another one, or another device.
import { api, body } from '../api/client';
import { Problem } from '../api/problem';
import { announceFile } from './announce';
import { fingerprint } from './fingerprint';
import { Job } from './job';
import { claim, forgetUpload, keepUpload, keptUploads } from './kept';
import { patiently } from './patience';
import { SendingProblem, requireReadable } from './put';
import { showUploads, type Phase, type Told } from './tray';
import { Sender } from './uppy';
import { Parts, Whole } from './ways';

const MOST_ROUNDS = 5;
const TICK_MS = 500;
/** What another look at what storage holds may heal: parts it lost, an upload it forgot, another device that was faster. */
const NOT_ALL_THERE = new Set(['PARTS_MISSING', 'PARTS_CHANGED', 'OBJECT_MISSING', 'UPLOAD_UNKNOWN', 'CHECKSUM_MISSING', 'CHECKSUM_UNEXPECTED']);
const NEVER_RIGHT = new Set(['UNREADABLE_MEDIA', 'SIZE_MISMATCH', 'FILE_CHANGED']);
const ACTIVE = new Set<Phase>(['preparing', 'sending', 'checking']);

const sender = new Sender();
let jobs: Job[] = [];
let onArrived: (videoId: string) => void = () => {};
let onEnded: (videoId: string) => void = () => {};

export function whenUploaded(arrived: typeof onArrived, ended: typeof onEnded): void {
  [onArrived, onEnded] = [arrived, ended];
}

const show = () => showUploads(jobs.map((job) => job.view()));

window.setInterval(() => { if (jobs.some(({ phase }) => ACTIVE.has(phase))) show(); }, TICK_MS);
window.addEventListener('beforeunload', (event) => {
  if (jobs.some(({ phase, isKept }) => !isKept && (ACTIVE.has(phase) || phase === 'waiting'))) event.preventDefault();
});

/** The same file, chosen again while it is on its way, is not sent twice. */
export function addFiles(files: readonly File[]): void {
  for (const file of files) {
    const key = `${file.size}-${file.lastModified}-${file.name}`;
    const old = jobs.find((job) => job.key === key);
    if (old && old.phase !== 'done' && old.phase !== 'failed') continue;
    if (old) leave(old);
    void enter(new Job(key, file));
  }
}

/** What a reload has cut off goes on by itself. */
export async function restoreUploads(): Promise<void> {
  for (const { key, file, videoId } of await keptUploads()) {
    if (!jobs.some((job) => job.key === key)) await enter(new Job(key, file, videoId), true);
  }
}

async function enter(job: Job, isRestored = false): Promise<void> {
  if (!isRestored) jobs = [...jobs, job];
  const isOurs = await claim(job.key, job.left);
  if (isRestored && !isOurs) return; // another tab is at work on it
  if (isRestored) jobs = [...jobs, job];
  job.isKept = isRestored;
  if (isOurs && !isRestored) void keep(job);
  next();
}

async function keep(job: Job): Promise<void> {
  job.isKept = await keepUpload({ key: job.key, file: job.file, videoId: job.videoId });
  if (job.isKept && job.phase === 'done') await forgetUpload(job.key);
}

function next(): void {
  show();
  if (jobs.some(({ phase }) => ACTIVE.has(phase))) return;
  const job = jobs.find(({ phase }) => phase === 'waiting');
  if (!job) return;
  if (job.uppyId) { // it was paused
    job.phase = 'sending';
    sender.pauseResume(job);
    return show();
  }
  void run(job);
}

async function run(job: Job): Promise<void> {
  job.phase = 'preparing';
  job.told = null;
  show();
  try {
    await upload(job);
    job.phase = 'done';
    job.told = null;
    void forgetUpload(job.key);
    job.over();
  } catch (problem) {
    if (job.stop.signal.aborted) return;
    job.phase = 'failed';
    job.told = toldOf(problem);
    const code = codeOf(problem);
    if (NEVER_RIGHT.has(code)) void forgetUpload(job.key);
    if (job.videoId && (NEVER_RIGHT.has(code) || (code === 'REFUSED' && !job.meter.there))) discard(job);
  } finally {
    if (job.videoId && !job.stop.signal.aborted) onArrived(job.videoId);
    next();
  }
}

async function upload(job: Job): Promise<void> {
  const { file, stop } = job;
  await job.require();
  const print = await fingerprint(file);
  stop.signal.throwIfAborted();
  const { video_id: id, upload: plan } = await announceFile(job.ask, file, print, job.videoId);
  job.videoId = id;
  if (stop.signal.aborted) return end(id);
  if (job.isKept) void keep(job);
  if (plan) {
    job.way = plan.method === 'PUT' ? new Whole(job.ask, id, file, plan) : new Parts(job.ask, id, file, plan.part_size);
    await sendAll(job);
  } else await complete(job);
}

/** Rounds, as long as another look at what storage holds may heal what went wrong. */
async function sendAll(job: Job): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      job.phase = 'sending';
      show();
      await sender.send(job).catch((problem) => {
        if (codeOf(problem) !== 'ALREADY_UPLOADED') throw problem; // storage's event or the sweep was faster
      });
      await requireReadable(job.file); // what was sent is one file, not two halves
      return await complete(job);
    } catch (problem) {
      if (!NOT_ALL_THERE.has(codeOf(problem)) || round === MOST_ROUNDS) throw problem;
    }
  }
}

async function complete(job: Job): Promise<void> {
  job.phase = 'checking';
  job.told = null;
  show();
  await job.ask(() => body(api.POST('/api/videos/{video_id}/upload-complete', { params: { path: { video_id: job.videoId! } } })));
}

function codeOf(problem: unknown): string {
  return problem instanceof Problem || problem instanceof SendingProblem ? problem.code : '';
}

function toldOf(problem: unknown): Told {
  return problem instanceof SendingProblem ? { text: problem.text, values: problem.values } : { problem };
}

const find = (key: string) => jobs.find((job) => job.key === key);

export function pauseUpload(key: string): void {
  const job = find(key);
  if (!job || (job.phase !== 'sending' && job.phase !== 'waiting')) return;
  if (job.phase === 'sending') sender.pauseResume(job);
  job.phase = 'paused';
  job.told = null;
  job.meter.forgetSpeed();
  next();
}

export function resumeUpload(key: string): void {
  const job = find(key);
  if (job?.phase !== 'paused' && job?.phase !== 'failed') return;
  job.phase = 'waiting';
  job.told = null;
  next();
}

/** Ends an upload: nothing of it stays, neither in storage nor in the library. */
export function cancelUpload(key: string): void {
  const job = find(key);
  if (!job) return;
  job.stop.abort();
  leave(job);
  if (job.videoId && job.phase !== 'done') discard(job);
  next();
}

export function dismissUpload(key: string): void {
  const job = find(key);
  if (job) leave(job);
  show();
}

export function dismissDone(): void {
  jobs.filter(({ phase }) => phase === 'done').forEach(leave);
  show();
}

function leave(job: Job): void {
  sender.drop(job);
  jobs = jobs.filter((other) => other !== job);
  void forgetUpload(job.key);
  job.over();
}

function discard(job: Job): void {
  const id = job.videoId!;
  job.videoId = null;
  onEnded(id);
  void end(id); // nobody waits for it
}

async function end(id: string): Promise<void> {
  const path = { params: { path: { video_id: id } } };
  const { signal } = new AbortController();
  await patiently(() => body(api.DELETE('/api/videos/{video_id}/upload', path)), signal).catch(() => {}); // a file that has arrived goes with its video
  await patiently(() => body(api.DELETE('/api/videos/{video_id}', path)), signal).catch(() => {}); // was it removed elsewhere?
}
