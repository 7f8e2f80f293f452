// Uploads as they are seen, one file at a time.
import { addToLibrary, dropRow, loadLibrary, setUnderWay } from './library.js';
import { Meter } from './meter.js';
import { forget, send } from './sending.js';
import { key } from './server.js';
import { $, announce, bytes, copyOf, say, span } from './words.js';

const TICK_MS = 500;
const NEVER_RIGHT = new Set(['UNREADABLE_MEDIA', 'SIZE_MISMATCH', 'FILE_CHANGED']);

let last = Promise.resolve();
let count = 0;

export const uploading = () => count > 0;

export function addUploads(files) {
  if (!key || !files.length) return;
  location.hash = ''; // where the uploads are seen
  for (const file of files) {
    const row = { file, as: key, id: null, phase: 'waiting', meter: new Meter(), node: copyOf('video-row'), stop: new AbortController() };
    row.node.querySelector('.title').textContent = file.name;
    row.node.querySelector('progress').setAttribute('aria-label', say('progressOf', { title: file.name }));
    setButton(row, say('stop'), () => stop(row));
    draw(row);
    $('uploads').append(row.node);
    count += 1;
    last = last.then(() => upload(row)).finally(() => { count -= 1; });
  }
}

async function upload(row) {
  if (row.stop.signal.aborted) return;
  row.phase = 'preparing';
  const ticking = setInterval(() => draw(row), TICK_MS);
  try {
    await send(row.file, {
      as: row.as,
      meter: row.meter,
      signal: row.stop.signal,
      onOpen: (id) => { [row.id, row.phase] = [id, 'sending']; setUnderWay(id, true); },
      onChecking: () => { [row.phase, row.meter.trouble] = ['checking', '']; draw(row); },
    });
    row.stop.signal.throwIfAborted();
    leave(row);
    announce(say('uploaded', { title: row.file.name }));
  } catch (problem) {
    const stopped = row.stop.signal.aborted;
    if (!stopped) showFailure(row, problem);
    if (row.id && (stopped || isUseless(row, problem))) discard(row);
  } finally {
    clearInterval(ticking);
    await handOver(row);
  }
}

/** From here on the library shows the video, arrived or interrupted. */
async function handOver({ id, isDiscarded }) {
  if (!id) return;
  if (!isDiscarded) await addToLibrary(id).catch(() => loadLibrary());
  setUnderWay(id, false);
}

/** Whether the upload is better ended than left for another time. */
function isUseless({ meter }, { code }) {
  return NEVER_RIGHT.has(code) || (code === 'REFUSED' && !meter.there);
}

function discard(row) {
  row.isDiscarded = true;
  dropRow(row.id);
  forget(row.id, row.as); // nobody waits for it
}

function stop(row) {
  if (row.id && !confirm(say('sureStop', { title: row.file.name }))) return;
  row.stop.abort();
  leave(row);
  announce(say('stopped'));
}

function leave({ node }) {
  const hadFocus = node.contains(document.activeElement);
  node.remove();
  if (hadFocus) $('files').focus();
}

function draw({ file, node, meter, phase }) {
  node.querySelector('progress').value = (100 * meter.sent) / Math.max(1, file.size);
  node.querySelector('.facts').textContent = phase === 'sending' ? pace(file, meter) : say(phase);
  const hint = node.querySelector('.hint');
  const told = meter.trouble || (phase === 'sending' && meter.before ? say('goesOn') : '');
  if (hint.textContent === told) return;
  hint.textContent = told;
  if (told) announce(`${file.name}: ${told}`);
}

function pace(file, { sent, speed, trouble }) {
  const told = [say('sending', { sent: bytes(sent), size: bytes(file.size) })];
  if (speed && !trouble) told.push(say('speed', { speed: bytes(speed) }), say('left', { time: span((file.size - sent) / speed) }));
  return told.join(' · ');
}

function showFailure(row, { message: sentence }) {
  row.node.dataset.status = 'FAILED';
  row.node.querySelector('progress').hidden = true;
  row.node.querySelector('.hint').textContent = '';
  row.node.querySelector('.problem').textContent = sentence;
  row.node.querySelector('.facts').textContent = say('FAILED');
  setButton(row, say('dismiss'), () => leave(row));
  announce(`${row.file.name}: ${sentence}`);
}

function setButton({ file, node }, word, onClick) {
  const button = node.querySelector('.remove');
  button.textContent = word;
  button.setAttribute('aria-label', `${word}: ${file.name}`);
  button.onclick = onClick;
}
