// The page: its views, its address and its events. Other people's words go in as text (textContent), never as HTML.
import { loadLibrary, loadMore, poll, redrawLibrary } from './library.js';
import { forgetSearch, redrawResults, search } from './search.js';
import { key, setKey, whenRefused } from './server.js';
import { addUploads, uploading } from './upload.js';
import { followSpeech, forgetVideo, openVideo, playFailed } from './video.js';
import { $, say, setWords, switchLanguage } from './words.js';

const TYPING_MS = 300;

let cameFrom = null; // the link that led to a video

function askKey(sentence) {
  setKey(null);
  $('key-problem').textContent = sentence;
  route();
  $('key').focus();
}

function keepKey(given) {
  if (!/^[\x21-\x7e]+$/.test(given)) return askKey(say('notAKey'));
  setKey(given);
  $('key').value = $('key-problem').textContent = '';
  forgetSearch();
  forgetVideo();
  return loadLibrary();
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
  if (place.has('video')) {
    show('video');
    return openVideo(place.get('video'), Number(place.get('t')) || 0);
  }
  const q = place.get('q') ?? '';
  $('back').href = location.hash || '#';
  if ($('question').value.trim() !== q) $('question').value = q;
  show(q ? 'search' : 'library');
  return q && search(q);
}

function show(view) {
  const changed = $(`${view}-view`).hidden;
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== `${view}-view`;
  $('search').hidden = $('forget').hidden = view === 'key';
  if (view === 'video') return changed && window.scrollTo(0, 0);
  for (const player of [$('video'), $('audio')]) player.pause();
  document.title = 'biblio';
  const focusLost = document.activeElement === document.body || $('video-view').contains(document.activeElement);
  if (changed && focusLost && cameFrom?.isConnected) cameFrom.focus();
  return null;
}

function ask() {
  clearTimeout(ask.timer);
  const q = $('question').value.trim();
  const within = new URLSearchParams(location.hash.slice(1)).has('q');
  if (!q && !within) return;
  // While words are being typed the address changes in place: "back" leaves the search at once.
  history[within ? 'replaceState' : 'pushState'](null, '', q ? `#${new URLSearchParams({ q })}` : location.pathname);
  route();
}

function askSoon() {
  clearTimeout(ask.timer);
  ask.timer = setTimeout(ask, TYPING_MS);
}

/** A link to where we already are changes no address, yet should bring us there once more. */
function followLink({ target }) {
  const link = target.closest('a[href^="#"]');
  if (link?.closest('main')) cameFrom = link;
  if (link && new URL(link.href).hash === location.hash) route();
}

function dropFiles(event) {
  event.preventDefault();
  document.body.classList.remove('dropping');
  addUploads([...event.dataTransfer.files]);
}

whenRefused(askKey);
$('key-form').onsubmit = (event) => { event.preventDefault(); keepKey($('key').value.trim()); route(); };
$('forget').onclick = () => askKey('');
$('language').onclick = () => { switchLanguage(); redrawLibrary(); redrawResults(); };
$('search').onsubmit = (event) => { event.preventDefault(); ask(); };
$('question').oninput = askSoon;
$('more').onclick = loadMore;
$('files').onchange = ({ target }) => { addUploads([...target.files]); target.value = ''; };
for (const player of [$('video'), $('audio')]) {
  player.onerror = playFailed;
  player.ontimeupdate = followSpeech;
}
document.onclick = followLink;
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.toggle('dropping', Boolean(key) && event.dataTransfer.types.includes('Files'));
};
document.ondragleave = ({ relatedTarget }) => { if (!relatedTarget) document.body.classList.remove('dropping'); };
document.ondrop = dropFiles;
window.onhashchange = route;
window.onbeforeunload = (event) => { if (uploading()) event.preventDefault(); };

setWords();
if (key && !location.hash.includes('key=')) loadLibrary();
route();
poll();
