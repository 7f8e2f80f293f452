// A page that uploads what is chosen, and goes on after a reload.
import { uploadToBiblio } from './biblio.mjs';

const GIB = 1024 ** 3;
const element = (id) => document.getElementById(id);

export function start({ Uppy, AwsS3, GoldenRetriever }) {
  const uppy = new Uppy({ autoProceed: true });
  uppy.use(GoldenRetriever, { indexedDB: { maxFileSize: 5 * GIB, maxTotalSize: 20 * GIB } });
  uploadToBiblio(uppy, AwsS3, call);
  uppy.on('restored', () => { element('resume').disabled = false; });
  element('resume').onclick = () => uppy.emit('restore-confirmed');

  element('file').onchange = (event) => {
    for (const file of event.target.files) uppy.addFile({ name: file.name, type: file.type, data: file });
  };
  element('retry').onclick = () => uppy.retryAll();
  element('cancel').onclick = () => uppy.cancelAll();
  showProgress(uppy);
}

// A real page asks its own backend, which knows its users and adds the key of biblio.
async function call(method, path, body) {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.detail);
  return json;
}

function showProgress(uppy) {
  const say = (text) => { element('status').textContent = text; };
  uppy.on('upload', () => say(''));
  uppy.on('progress', (percent) => { element('progress').value = percent; });
  uppy.on('upload-error', (file, error) => say(`failed: ${error.message}`));
  uppy.on('complete', ({ successful, failed }) => {
    if (successful.length && !failed.length) say(`done: ${successful[0].meta.video_id}`);
  });
}
