// One video and its transcript beside it.
import { api } from './server.js';
import { $, clock, copyOf, say } from './words.js';

let open = null; // { id, video, media, player, sentences: [{ start, node }] }

export function forgetVideo() {
  open = null;
}

/** A video has come to its end of the road; if it is the one on show, so is its transcript now. */
export function transcriptReady(id) {
  if (open?.id === id) loadTranscript(open);
}

export async function openVideo(id, seconds) {
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
export async function playFailed({ currentTarget: player }) {
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

export function followSpeech({ currentTarget: player }) {
  if (player !== open?.player) return;
  const now = open.sentences.findLast((sentence) => sentence.start <= player.currentTime + 0.05)?.node;
  const before = $('sentences').querySelector('[aria-current]');
  if (now === before) return;
  before?.removeAttribute('aria-current');
  now?.setAttribute('aria-current', 'true');
  const list = $('sentences');
  if (now && !list.matches(':hover, :focus-within')) list.scrollTop = now.offsetTop - list.clientHeight / 3;
}
