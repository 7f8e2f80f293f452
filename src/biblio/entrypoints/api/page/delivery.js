// Spans of a file on their way to storage, each tried until it is there.
import { Pace } from './meter.js';
import { pause } from './patience.js';
import { put } from './storage.js';
import { say } from './words.js';

const MOST_REFUSALS = 3;
const LONG = 4; // failures, about 5 seconds

/** Resolves when all `numbers` are in storage. The first problem that no further try heals stops the others. */
export async function deliver(way, numbers, meter, signal) {
  const pace = new Pace(meter);
  const stop = new AbortController();
  const all = { way, meter, pace, signal: AbortSignal.any([signal, stop.signal]) };
  const waiting = [...numbers];
  const underWay = new Set();
  try {
    while (waiting.length || underWay.size) {
      while (waiting.length && underWay.size < pace.lanes) {
        const job = deliverOne(waiting.shift(), all).finally(() => underWay.delete(job));
        underWay.add(job);
      }
      await Promise.race(underWay);
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay);
  }
}

async function deliverOne(number, { way, meter, pace, signal }) {
  const span = way.span(number);
  let [failures, refusals, furthest] = [0, 0, 0];
  for (;;) {
    const permit = await way.permit(number);
    let reached = 0;
    const onProgress = (sent) => { reached = Math.min(sent, span.size); meter.moving(number, reached); };
    try {
      await put(span, permit, { onProgress, signal });
      meter.stored(number, span.size);
      return pace.arrived();
    } catch (problem) {
      meter.lost(number);
      if (signal.aborted) throw problem;
      await requireReadable(way.file);
      if (problem.code === 'ADDRESS_REFUSED' && (refusals += 1) < MOST_REFUSALS) continue;
      if (problem.code !== 'LINE_BROKEN') throw problem;
    }
    failures = reached > furthest ? 1 : failures + 1; // a line that gets further works
    furthest = Math.max(furthest, reached);
    pace.broke();
    meter.trouble = trouble(meter, failures);
    await pause(failures, signal);
  }
}

/** A browser does not say why it could not send. */
function trouble(meter, failures) {
  if (!navigator.onLine) return say('noLine');
  return say(meter.moved || failures < LONG ? 'noStorage' : 'neverStorage');
}

/** Browsers report a file that was changed or removed meanwhile as a broken line. */
export async function requireReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch ({ name }) {
    const [code, sentence] = name === 'NotFoundError' ? ['FILE_GONE', 'fileGone'] : ['FILE_CHANGED', 'fileChanged'];
    throw Object.assign(new Error(say(sentence)), { code });
  }
}
