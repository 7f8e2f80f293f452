// The page: key, upload, library, search and video. Other people's words go in as text (textContent), never as HTML.
import { TEXTS } from './texts.js';

const POLL_MS = 1500;
const TYPING_MS = 300;
const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED']);
const NOT_THERE = new Set(['UPLOADING', 'EXPIRED', 'DELETING']);

const $ = (id) => document.getElementById(id);
const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);

let key = localStorage.getItem('biblio.key');
let language = localStorage.getItem('biblio.language')
  ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? 'en';

// Words

function say(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)(?:, (\w+))?\}/g, (_, value, noun) =>
    noun ? `${values[value]} ${noun}${values[value] === 1 ? '' : 's'}` : values[value]);
}

function announce(sentence) {
  $('live').textContent = sentence;
}

function setWords() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-text]')) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', say(node.dataset.label));
  for (const node of document.querySelectorAll('[data-hint]')) node.placeholder = say(node.dataset.hint);
  $('language').textContent = say('otherLanguage');
  $('language').lang = language === 'ko' ? 'en' : 'ko';
}

/** 1:02:03, or 2:03 within the first hour. */
function clock(seconds) {
  const [h, m, s] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function bytes(count) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  return `${(count / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB'][power]}`;
}

function facts(video) {
  const date = new Date(video.created_at).toLocaleDateString(language, { dateStyle: 'medium' });
  const tongue = video.language && new Intl.DisplayNames(language, { type: 'language' }).of(video.language);
  return [video.duration && clock(video.duration), tongue, bytes(video.file_size), date].filter(Boolean).join(' · ');
}

// The API

async function api(path, options = {}) {
  const used = key;
  let answer;
  try {
    const headers = { Authorization: `Bearer ${used}`, ...(options.body && { 'Content-Type': 'application/json' }) };
    answer = await fetch(`/api${path}`, { ...options, headers, cache: 'no-store' });
  } catch {
    throw new Error(say('unreachable'));
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const problem = new Error(body.detail ?? say('broke', { status: answer.status }));
  problem.status = answer.status;
  if (answer.status === 401 && used === key) askKey(problem.message);
  throw problem;
}

// Key and views

function askKey(sentence) {
  key = null;
  localStorage.removeItem('biblio.key');
  $('key-problem').textContent = sentence;
  route();
  $('key').focus();
}

function keepKey(pasted) {
  if (!/^[\x21-\x7e]+$/.test(pasted)) return askKey(say('notAKey'));
  key = pasted;
  localStorage.setItem('biblio.key', key);
  $('key').value = $('key-problem').textContent = '';
  asked = null;
  open = null;
  loadLibrary();
}

function show(view) {
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== `${view}-view`;
  $('search').hidden = $('forget').hidden = view === 'key';
  if (view !== 'video') [$('video'), $('audio')].forEach((player) => player.pause());
}

/** The address says what is seen: #q=WORDS, #video=ID&t=SECONDS, or the library; #key=KEY is kept and taken out. */
function route() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (place.has('key')) {
    const given = place.get('key');
    place.delete('key');
    history.replaceState(null, '', place.size ? `#${place}` : location.pathname);
    keepKey(given);
  }
  if (!key) return show('key');
  document.title = 'biblio';
  if (place.has('video')) return openVideo(place.get('video'), Number(place.get('t')) || 0);
  if (document.activeElement !== $('question')) $('question').value = place.get('q') ?? '';
  return place.get('q') ? search(place.get('q')) : show('library');
}

/** A link to where we already are changes no address, yet should bring us there once more. */
function followAgain(event) {
  const link = event.target.closest('a[href^="#"]');
  if (link && new URL(link.href).hash === location.hash) route();
}

// Library

const rows = new Map(); // video id -> { video, node }
let nextPage = null;

async function loadLibrary(cursor = null) {
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
async function poll() {
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
    if (open?.id === id && ENDED.has(fresh.status)) loadTranscript(open);
  } catch (problem) {
    if (problem.status === 404) dropRow(id);
    $('offline').hidden = Boolean(problem.status);
  }
}

// Upload: straight to storage, one file at a time, as the permission to upload lasts only minutes

let uploads = Promise.resolve();
let uploading = 0;

function addUploads(files) {
  if (!key) return;
  location.hash = '';
  for (const file of files) {
    const node = copyOf('video-row');
    const button = node.querySelector('.remove');
    const row = { file, node, stopped: false, request: null };
    node.querySelector('.title').textContent = file.name;
    node.querySelector('.facts').textContent = say('waiting');
    node.querySelector('progress').setAttribute('aria-label', say('progressOf', { title: file.name }));
    node.querySelector('progress').value = 0;
    button.textContent = say('stop');
    button.setAttribute('aria-label', say('stopOf', { title: file.name }));
    button.onclick = () => { row.stopped = true; row.request?.abort(); };
    $('uploads').append(node);
    uploading += 1;
    uploads = uploads.then(() => upload(row)).finally(() => { uploading -= 1; });
  }
}

async function upload(row) {
  const { file, node } = row;
  let id = null;
  try {
    if (row.stopped) throw new Error(say('stopped'));
    const asked = { file_name: file.name, file_size: file.size, mime_type: file.type || null };
    const created = await api('/videos', { method: 'POST', body: JSON.stringify(asked) });
    id = created.video_id;
    await put(row, created.upload);
    node.querySelector('.facts').textContent = say('checking');
    node.querySelector('.remove').hidden = true;
    await api(`/videos/${id}/upload-complete`, { method: 'POST' });
  } catch (problem) {
    // Bytes that arrived whole stay when only our own server is out of reach.
    if (id && (problem.fromStorage || problem.status < 500)) api(`/videos/${id}`, { method: 'DELETE' }).catch(() => {});
    return uploadFailed(row, problem.message);
  }
  node.remove();
  announce(say('uploaded', { title: file.name }));
  try {
    const video = await api(`/videos/${id}`);
    if (!rows.has(id)) $('videos').prepend(addRow(video));
    libraryState('');
  } catch {
    loadLibrary();
  }
}

function put(row, { method, url, headers }) {
  const { file, node } = row;
  const [progress, told] = [node.querySelector('progress'), node.querySelector('.facts')];
  const began = performance.now();
  return new Promise((done, failed) => {
    const fail = (name, values) => failed(Object.assign(new Error(say(name, values)), { fromStorage: true }));
    const request = (row.request = new XMLHttpRequest());
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      const speed = loaded / Math.max(0.001, (performance.now() - began) / 1000);
      progress.value = (100 * loaded) / file.size;
      told.textContent = say('sending', { sent: bytes(loaded), size: bytes(file.size), speed: bytes(speed) });
    };
    request.onload = () => {
      const why = /<Message>([^<]*)/.exec(request.responseText)?.[1] ?? '';
      return request.status < 300 ? done() : fail('storageRefused', { status: request.status, why });
    };
    request.onerror = () => fail('storageUnreachable');
    request.onabort = () => fail('stopped');
    if (row.stopped) return fail('stopped');
    return request.send(file);
  });
}

function uploadFailed({ file, node }, sentence) {
  const button = node.querySelector('.remove');
  node.querySelector('progress').hidden = true;
  node.querySelector('.facts').textContent = say('FAILED');
  node.querySelector('.problem').textContent = sentence;
  button.hidden = false;
  button.textContent = say('dismiss');
  button.setAttribute('aria-label', `${say('dismiss')}: ${file.name}`);
  button.onclick = () => node.remove();
  announce(`${file.name}: ${sentence}`);
}

// Search

let asked = null; // the question whose answer is shown or awaited

function askSoon(event) {
  clearTimeout(askSoon.timer);
  if (!event.isComposing) askSoon.timer = setTimeout(ask, TYPING_MS);
}

function ask() {
  clearTimeout(askSoon.timer);
  const q = $('question').value.trim();
  const address = q ? `#${new URLSearchParams({ q })}` : location.pathname;
  // While words are being typed the address changes in place: "back" leaves the search at once.
  const within = new URLSearchParams(location.hash.slice(1)).has('q');
  history[within ? 'replaceState' : 'pushState'](null, '', address);
  route();
}

async function search(q) {
  show('search');
  if (q === asked) return;
  asked = q;
  $('search-state').textContent = say('searching');
  $('results').classList.add('old');
  try {
    const answer = await api(`/search?${new URLSearchParams({ q })}`);
    if (q === asked) showResults(answer);
  } catch (problem) {
    if (q !== asked) return;
    asked = null;
    $('results').replaceChildren();
    announce($('search-state').textContent = problem.message);
  }
}

function showResults({ query, results }) {
  const moments = results.reduce((sum, found) => sum + found.moments.length, 0);
  const told = moments ? say('found', { moments, videos: results.length }) : say('nothing', { q: query });
  announce($('search-state').textContent = told);
  $('results').classList.remove('old');
  $('results').replaceChildren(...results.map(foundNode));
}

function foundNode(found) {
  const node = copyOf('found');
  node.querySelector('h2').textContent = found.title;
  node.querySelector('ul').append(...found.moments.map((moment) => {
    const item = copyOf('moment');
    item.firstElementChild.href = `#video=${found.video_id}&t=${moment.start_time}`;
    item.querySelector('time').textContent = clock(moment.start_time);
    item.querySelector('span').append(...marked(moment.text, moment.highlights));
    return item;
  }));
  return node;
}

/** The server counts whole characters, JavaScript halves of some: cut an array of characters. */
function marked(text, ranges) {
  const letters = [...text];
  const pieces = [];
  let from = 0;
  for (const [start, end] of ranges) {
    const mark = document.createElement('mark');
    mark.textContent = letters.slice(start, end).join('');
    pieces.push(letters.slice(from, start).join(''), mark);
    from = end;
  }
  return [...pieces, letters.slice(from).join('')];
}

// Video

let open = null; // { id, video, media, player, sentences: [{ start, node }] }

async function openVideo(id, seconds) {
  show('video');
  if (open?.id === id && open.player) {
    document.title = `${open.video.title} – biblio`;
    return jump(seconds);
  }
  const mine = (open = { id, sentences: [] });
  for (const player of [$('video'), $('audio')]) {
    player.removeAttribute('src');
    player.load();
    player.hidden = true;
  }
  $('video-title').textContent = '';
  $('sentences').replaceChildren();
  $('player-state').textContent = $('transcript-state').textContent = say('loading');
  loadTranscript(mine);
  try {
    [mine.video, mine.media] = await Promise.all([api(`/videos/${id}`), api(`/videos/${id}/media`)]);
    if (mine !== open) return;
    $('video-title').textContent = mine.video.title;
    document.title = `${mine.video.title} – biblio`;
    play(mine.video.mime_type.startsWith('audio/') ? $('audio') : $('video'), mine.media.video.url, seconds, '');
    $('video-title').focus({ preventScroll: true });
  } catch (problem) {
    if (mine === open) $('player-state').textContent = problem.message;
  }
}

function play(player, url, seconds, state) {
  open.player = player;
  $('video').hidden = player !== $('video');
  $('audio').hidden = player !== $('audio');
  $('player-state').textContent = state;
  player.src = url;
  jump(seconds);
}

function jump(seconds) {
  const { player } = open;
  player.currentTime = seconds; // before anything is loaded: where playing will begin
  player.play().catch(() => {}); // browsers play by themselves only after a click
}

/** An address that has run out is asked for again; a picture that can't be shown gives way to the sound. */
async function playFailed({ currentTarget: player }) {
  const mine = open;
  if (player !== mine?.player || !player.hasAttribute('src')) return;
  const seconds = player.currentTime;
  const { video, audio } = mine.media;
  const ranOut = new Date(video.expires_at) < new Date();
  if (!ranOut && (player.src === audio?.url || !audio)) return void ($('player-state').textContent = say('cannotPlay'));
  if (!ranOut) return play($('audio'), audio.url, seconds, player === $('video') ? say('soundOnly') : '');
  try {
    mine.media = await api(`/videos/${mine.id}/media`);
    const fresh = player.src === audio?.url ? mine.media.audio : mine.media.video;
    if (mine === open) play(player, fresh.url, seconds, '');
  } catch (problem) {
    $('player-state').textContent = problem.message;
  }
}

async function loadTranscript(mine) {
  let state = '';
  try {
    const { results } = await api(`/videos/${mine.id}/transcript`);
    if (mine !== open) return;
    mine.sentences = results.map(sentenceOf);
    $('sentences').replaceChildren(...mine.sentences.map((sentence) => sentence.node));
    if (!results.length) state = say('noSpeech');
  } catch (problem) {
    state = problem.status === 409 ? say('later') : problem.message;
  }
  if (mine === open) $('transcript-state').textContent = state;
}

function sentenceOf({ transcript, start_time: start }) {
  const node = copyOf('sentence');
  node.querySelector('time').textContent = clock(start);
  node.querySelector('span').textContent = transcript;
  node.firstElementChild.onclick = () => {
    if (!open.player) return;
    history.replaceState(null, '', `#video=${open.id}&t=${start}`);
    jump(start);
  };
  return { start, node };
}

function followSpeech({ currentTarget: player }) {
  if (player !== open?.player) return;
  const now = open.sentences.findLast((sentence) => sentence.start <= player.currentTime + 0.05)?.node;
  const before = $('sentences').querySelector('[aria-current]');
  if (now === before) return;
  before?.removeAttribute('aria-current');
  now?.setAttribute('aria-current', 'true');
  const list = $('sentences');
  if (now && !list.matches(':hover, :focus-within')) list.scrollTop = now.offsetTop - list.clientHeight / 3;
}

// Begin

$('key-form').onsubmit = (event) => {
  event.preventDefault();
  keepKey($('key').value.trim());
  if (key) route();
};
$('forget').onclick = () => askKey('');
$('language').onclick = () => {
  language = language === 'ko' ? 'en' : 'ko';
  localStorage.setItem('biblio.language', language);
  setWords();
  rows.forEach(drawRow);
  libraryState(rows.size ? '' : say('empty'));
  if (asked) [asked] = [null, search(asked)];
  route();
};
$('search').onsubmit = (event) => { event.preventDefault(); ask(); };
$('question').oninput = askSoon;
$('question').addEventListener('compositionend', askSoon);
$('more').onclick = () => loadLibrary(nextPage);
$('files').onchange = ({ target }) => { addUploads([...target.files]); target.value = ''; };
for (const player of [$('video'), $('audio')]) {
  player.onerror = playFailed;
  player.ontimeupdate = followSpeech;
}
document.onclick = followAgain;
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.toggle('dropping', Boolean(key) && event.dataTransfer.types.includes('Files'));
};
document.ondragleave = (event) => { if (!event.relatedTarget) document.body.classList.remove('dropping'); };
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  addUploads([...event.dataTransfer.files]);
};
window.onhashchange = window.onpopstate = route;
window.onbeforeunload = (event) => { if (uploading) event.preventDefault(); };

setWords();
if (key) loadLibrary();
route();
poll();
