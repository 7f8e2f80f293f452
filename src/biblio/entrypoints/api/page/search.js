// A question, and the moments that answer it.
import { api } from './server.js';
import { $, announce, clock, copyOf, say } from './words.js';

let asked = null; // the question whose answer is shown or awaited
let answer = null;

export function forgetSearch() {
  asked = answer = null;
  $('results').replaceChildren();
}

export async function search(q) {
  if (q === asked) return;
  asked = q;
  answer = null;
  $('search-state').textContent = say('searching');
  $('results').classList.add('old');
  try {
    const found = await api(`/search?${new URLSearchParams({ q })}`);
    if (q !== asked) return;
    answer = found;
    redrawResults();
  } catch (problem) {
    if (q !== asked) return;
    asked = null;
    $('results').replaceChildren();
    announce($('search-state').textContent = problem.message);
  }
}

export function redrawResults() {
  if (!answer) return;
  const { query, results } = answer;
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
