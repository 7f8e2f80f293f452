// Uppy cuts, counts, pauses and resumes; where the spans go and when they are tried again is ours (docs/decisions/0011).
import AwsS3, { type AwsS3UploadParameters } from '@uppy/aws-s3';
import Uppy, { type UppyFile } from '@uppy/core';
import type { Job } from './job';
import { Problem } from '../api/problem';
import { Parts } from './ways';

type Meta = Record<string, unknown>;
type Body = Record<string, never>;
type File_ = UppyFile<Meta, Body>;

const THERE = '"there"'; // storage's tags are the server's business
const QUIET = { debug() {}, warn() {}, error() {} };

export class Sender {
  readonly #uppy = new Uppy<Meta, Body>({ logger: QUIET, onBeforeFileAdded: () => true });
  readonly #jobs = new Map<string, Job>(); // by Uppy's id of the file
  readonly #partSizes = new WeakMap<object, number>();
  readonly #spans = new Map<string, { job: Job; number: number }>(); // by signed address
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();

  constructor() {
    this.#uppy.use(AwsS3<Meta, Body>, {
      id: 'AwsS3',
      limit: 1,
      retryDelays: [], // a span is tried again by whoever sends it
      shouldUseMultipart: (file) => this.#job(file).way instanceof Parts,
      getChunkSize: (data) => this.#partSizes.get(data)!,
      createMultipartUpload: (file) => Promise.resolve({ uploadId: this.#job(file).videoId!, key: file.id }),
      listParts: (file) => this.#listParts(this.#job(file)),
      signPart: (file, { partNumber }) => this.#sign(this.#job(file), partNumber),
      getUploadParameters: (file) => this.#begin(this.#job(file)),
      completeMultipartUpload: () => Promise.resolve({}), // by the queue, as for a single PUT
      abortMultipartUpload: () => Promise.resolve(), // likewise
      uploadPartBytes: (options) => this.#send(options as never),
    });
    this.#uppy.on('upload-success', (file) => file && this.#ends.get(file.id)?.resolve());
    this.#uppy.on('upload-error', (file, error) => file && this.#ends.get(file.id)?.reject((error as { cause?: unknown }).cause ?? error));
  }

  /** Resolves when all that storage lacked is there. */
  async send(job: Job): Promise<void> {
    const { file, way } = job;
    if (way instanceof Parts) this.#partSizes.set(file, way.partSize);
    const id = (job.uppyId = this.#uppy.addFile({ name: `${job.key} ${file.name}`, type: file.type, data: file, source: 'page' }));
    this.#jobs.set(id, job);
    const end = Promise.withResolvers<void>();
    this.#ends.set(id, end);
    end.promise.catch(() => {});
    // As if it went on: then storage's parts are listed first, and what fails is not aborted.
    if (way instanceof Parts) this.#uppy.setFileState(id, { s3Multipart: { uploadId: job.videoId!, key: id } } as never);
    void this.#uppy.upload().catch((problem) => end.reject(problem));
    try {
      await end.promise;
    } finally {
      this.drop(job);
    }
  }

  pauseResume(job: Job): void {
    if (job.uppyId) this.#uppy.pauseResume(job.uppyId);
  }

  drop(job: Job): void {
    const id = job.uppyId;
    if (!id) return;
    job.uppyId = null;
    this.#ends.get(id)?.reject(new Problem('STOPPED', 0, ''));
    this.#ends.delete(id);
    this.#uppy.removeFile(id);
    this.#jobs.delete(id);
    for (const [url, span] of this.#spans) if (span.job === job) this.#spans.delete(url);
  }

  #job(file: File_): Job {
    const job = this.#jobs.get(file.id);
    if (!job) throw new Problem('STOPPED', 0, '');
    return job;
  }

  async #listParts(job: Job) {
    const parts = job.way as Parts;
    const missing = new Set(await parts.missing());
    const there = parts.numbers.filter((number) => !missing.has(number));
    job.meter.begin(there.reduce((sum, number) => sum + parts.span(number).size, 0));
    return there.map((number) => ({ PartNumber: number, Size: parts.span(number).size, ETag: THERE }));
  }

  async #sign(job: Job, number: number): Promise<AwsS3UploadParameters> {
    const { url, headers } = await job.way!.permit(number);
    this.#spans.set(url, { job, number });
    return { method: 'PUT', url, headers };
  }

  #begin(job: Job): Promise<AwsS3UploadParameters> {
    job.meter.begin(0);
    return this.#sign(job, 1);
  }

  async #send({ signature: { url, headers = {} }, body, onProgress, onComplete, signal }: {
    signature: AwsS3UploadParameters; body: Blob; signal: AbortSignal;
    onProgress: (event: { loaded: number; lengthComputable: boolean }) => void; onComplete: (etag: string) => void;
  }): Promise<{ ETag: string }> {
    const { job, number } = this.#spans.get(url)!;
    this.#spans.delete(url);
    const permit = { method: 'PUT', url, headers };
    const progress = (loaded: number) => onProgress({ loaded, lengthComputable: true });
    await job.send(number, permit, body, progress, AbortSignal.any([signal, job.stop.signal]));
    (this.#uppy.getPlugin('AwsS3') as unknown as { requests: { limit: number } }).requests.limit = job.pace.lanes;
    onComplete(THERE);
    return { ETag: THERE };
  }
}
