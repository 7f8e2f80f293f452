// Words, numbers and pieces of the page in the reader's language.
import { TEXTS } from './texts.js';

export const $ = (id) => document.getElementById(id);
export const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);

export let language = localStorage.getItem('biblio.language')
  ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? 'en';

export function switchLanguage() {
  language = language === 'ko' ? 'en' : 'ko';
  localStorage.setItem('biblio.language', language);
  setWords();
}

export function say(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)(?:, (\w+))?\}/g, (_, value, noun) =>
    noun ? `${values[value]} ${noun}${values[value] === 1 ? '' : 's'}` : values[value]);
}

export function announce(sentence) {
  $('live').textContent = sentence;
}

export function setWords() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-text]')) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', say(node.dataset.label));
  for (const node of document.querySelectorAll('[data-hint]')) node.placeholder = say(node.dataset.hint);
  $('language').textContent = say('otherLanguage');
  $('language').lang = language === 'ko' ? 'en' : 'ko';
}

/** 1:02:03, or 2:03 within the first hour. */
export function clock(seconds) {
  const [h, m, s] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function bytes(count) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  return `${(count / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB'][power]}`;
}

/** "40 sec", "12 min", "1 hr 5 min": no finer than anybody can foresee. */
export function span(seconds) {
  const unit = (number, name) => new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(number);
  if (seconds < 57) return unit(Math.max(5, Math.ceil(seconds / 5) * 5), 'second');
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  return `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`;
}

export function facts(video) {
  const date = new Date(video.created_at).toLocaleDateString(language, { dateStyle: 'medium' });
  const tongue = video.language && new Intl.DisplayNames(language, { type: 'language' }).of(video.language);
  const known = [video.duration && clock(video.duration), tongue, bytes(video.file_size), date].filter(Boolean);
  return known.map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · '); // lines break between facts only
}
