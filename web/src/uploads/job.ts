// One file on its way, and how each of its spans is brought to storage.
import { Meter, Pace } from './meter';
import { patiently, pause } from './patience';
import { SendingProblem, put, requireReadable, type Permit } from './put';
import type { Phase, Told, UploadView } from './tray';
import type { Ask, Way } from './ways';

const MOST_REFUSALS = 3;
const LONG = 4; // failures, about 5 seconds

export class Job {
  phase: Phase = 'waiting';
  told: Told | null = null;
  videoId: string | null;
  uppyId: string | null = null;
  way: Way | null = null;
  meter = new Meter();
  pace = new Pace(this.meter);
  isKept = false;
  /** Ends the upload for good. */
  readonly stop = new AbortController();
  /** Called when the job leaves the list. */
  readonly over: () => void;
  readonly left: Promise<void>;

  constructor(readonly key: string, readonly file: File, videoId: string | null = null) {
    this.videoId = videoId;
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.left, this.over] = [promise, resolve];
  }

  /** Asks the server again for as long as that may help, and says meanwhile why nothing moves. */
  ask: Ask = (call) => patiently(call, this.stop.signal, (problem) => {
    this.told = navigator.onLine ? { text: 'noServer' } : { text: 'noLine' };
    if (!(problem as { status?: number }).status) return;
    this.told = { problem };
  });

  async require(): Promise<void> {
    await requireReadable(this.file);
  }

  /** Brings one span to storage, however often that has to be tried. `signal` pauses it. */
  async send(number: number, first: Permit, span: Blob, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
    const { meter, pace } = this;
    let permit: Permit | null = first;
    let [failures, refusals, furthest] = [0, 0, 0];
    for (;;) {
      permit ??= await this.way!.permit(number);
      let reached = 0;
      try {
        await put(span, permit, (sent) => {
          reached = Math.min(sent, span.size);
          this.told = null;
          meter.moving(number, reached);
          onProgress(reached);
        }, signal);
        this.told = null;
        meter.stored(number, span.size);
        return pace.arrived();
      } catch (problem) {
        permit = null;
        meter.lost(number);
        if (signal.aborted || !(problem instanceof SendingProblem)) throw problem;
        await this.require();
        if (problem.code === 'ADDRESS_REFUSED' && (refusals += 1) < MOST_REFUSALS) continue;
        if (problem.code !== 'LINE_BROKEN') throw problem;
      }
      failures = reached > furthest ? 1 : failures + 1; // a line that gets further works
      furthest = Math.max(furthest, reached);
      pace.broke();
      this.told = this.#trouble(failures);
      await pause(failures, signal);
    }
  }

  /** A browser does not say why it could not send. */
  #trouble(failures: number): Told {
    if (!navigator.onLine) return { text: 'noLine' };
    return { text: this.meter.moved || failures < LONG ? 'noStorage' : 'neverStorage' };
  }

  view(): UploadView {
    const { key, file, phase, videoId, meter, told } = this;
    const sent = phase === 'done' || phase === 'checking' ? file.size : meter.sent;
    return { key, name: file.name, size: file.size, phase, videoId, sent, speed: phase === 'sending' ? meter.speed : null, told, goesOn: Boolean(meter.before) };
  }
}
