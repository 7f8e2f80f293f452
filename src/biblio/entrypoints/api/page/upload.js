// Uploads: straight to storage, one file at a time, as the permission to upload lasts only minutes.
import { addToLibrary, loadLibrary } from './library.js';
import { api, key, put } from './server.js';
import { $, announce, bytes, copyOf, say } from './words.js';

let last = Promise.resolve();
let count = 0;

export const uploading = () => count > 0;

export function addUploads(files) {
  if (!key || !files.length) return;
  location.hash = ''; // where the uploads are seen
  for (const file of files) {
    const row = { file, node: copyOf('video-row'), stop: new AbortController() };
    const progress = row.node.querySelector('progress');
    row.node.querySelector('.title').textContent = file.name;
    tell(row, say('waiting'));
    progress.setAttribute('aria-label', say('progressOf', { title: file.name }));
    progress.value = 0;
    setButton(row, say('stop'), () => row.stop.abort());
    $('uploads').append(row.node);
    count += 1;
    last = last.then(() => upload(row)).finally(() => { count -= 1; });
  }
}

async function upload(row) {
  let id = null;
  try {
    id = await send(row);
  } catch (problem) {
    return showFailure(row, problem.message);
  }
  row.node.remove();
  announce(say('uploaded', { title: row.file.name }));
  return addToLibrary(id).catch(() => loadLibrary());
}

async function send(row) {
  const { file, node, stop } = row;
  if (stop.signal.aborted) throw new Error(say('stopped'));
  const asked = { file_name: file.name, file_size: file.size, mime_type: file.type || null };
  const { video_id: id, upload: target } = await api('/videos', { method: 'POST', body: JSON.stringify(asked) });
  const began = performance.now();
  const onProgress = (sent) => {
    const speed = sent / Math.max(0.001, (performance.now() - began) / 1000);
    node.querySelector('progress').value = (100 * sent) / file.size;
    tell(row, say('sending', { sent: bytes(sent), size: bytes(file.size), speed: bytes(speed) }));
  };
  try {
    await put(file, target, { onProgress, signal: stop.signal });
    tell(row, say('checking'));
    node.querySelector('.remove').hidden = true;
    await api(`/videos/${id}/upload-complete`, { method: 'POST' });
  } catch (problem) {
    // Bytes that arrived whole stay when only our own server is out of reach.
    if (problem.fromStorage || problem.status < 500) api(`/videos/${id}`, { method: 'DELETE' }).catch(() => {});
    throw problem;
  }
  return id;
}

function showFailure(row, sentence) {
  row.node.dataset.status = 'FAILED';
  row.node.querySelector('progress').hidden = true;
  row.node.querySelector('.remove').hidden = false;
  row.node.querySelector('.problem').textContent = sentence;
  tell(row, say('FAILED'));
  setButton(row, say('dismiss'), () => row.node.remove());
  announce(`${row.file.name}: ${sentence}`);
}

function tell(row, sentence) {
  row.node.querySelector('.facts').textContent = sentence;
}

function setButton({ file, node }, word, onClick) {
  const button = node.querySelector('.remove');
  button.textContent = word;
  button.setAttribute('aria-label', `${word}: ${file.name}`);
  button.onclick = onClick;
}
