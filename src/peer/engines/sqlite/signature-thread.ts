/**
 * A second thread that verifies signatures while others' messages rush in, and makes them while this machine's own do,
 * with the same libsodium. It runs only while there is work for it, and nothing depends on it: what it does not answer
 * is done by who asked.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import sodium from 'chloride';
import { packJobs, type SignatureJob } from './signature-job.ts';
import { Signatures, type SigningJob } from './signing-job.ts';

/** Beside this file, as it is written and as it is built (build.js). */
const SCRIPT = new URL('./signature-worker.js', import.meta.url);
/** Without work for so long, it ends, and its memory is given back. */
const IDLE_MS = 10_000;
/** Longer than it ever takes for a signature, whatever else the computer does. */
const SILENCE_MS = 5_000;
/** It holds a few batches at a time. */
const HEAP_MB = 16;

/** @param verdicts a byte for each job, 1 for a valid signature; undefined: there is no answer */
export type Answer = (verdicts: Uint8Array | undefined) => void;

interface Batch {
  readonly size: number;
  readonly answer: Answer;
  /** Whoever waits for it now need not wait any more. */
  readonly end?: () => void;
}

export interface SignatureThreadOptions {
  readonly script?: URL;
  readonly cores?: number;
  readonly idleMs?: number;
  readonly silenceMs?: number;
}

export class SignatureThread {
  readonly #options: SignatureThreadOptions;
  #worker: Worker | undefined;
  #isReady = false;
  /** A computer with one core, or without libsodium, gains nothing by it. */
  #isUseless: boolean;
  #underWay: Batch[] = [];
  #idle: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #tellLoss: ((error: Error) => void) | undefined;

  constructor(options: SignatureThreadOptions = {}) {
    this.#options = options;
    this.#isUseless = (options.cores ?? availableParallelism()) === 1 || !isNative();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isBusy(): boolean {
    return this.#underWay.length > 0;
  }

  /** @param listener told once, when it fails; it is not tried again */
  onLoss(listener: (error: Error) => void): void {
    this.#tellLoss = listener;
  }

  /** Takes some hundredths of a second, during which `isReady` is false. */
  start(): void {
    if (this.#isUseless || this.#worker !== undefined) return;
    const worker = new Worker(this.#options.script ?? SCRIPT, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: HEAP_MB / 4 },
    });
    this.#worker = worker;
    worker.unref();
    worker.on('message', (message: unknown) => this.#receive(worker, message));
    worker.on('error', (error: Error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`it ended with ${code}`)));
  }

  /** To be called while it is ready only. Batches are answered in their order. */
  check(jobs: readonly SignatureJob[], answer: Answer): void {
    const batch = packJobs(jobs);
    this.#give(batch, batch, { size: jobs.length, answer });
  }

  /**
   * Has messages signed, each when the one before is. To be called while it is ready only.
   * @param done called when there is no more to wait for
   */
  sign(job: SigningJob, done: () => void): Signatures {
    const worker = this.#worker;
    const signatures = new Signatures(job.answers, this.#silenceMs, (error) => this.#giveUp(worker, error));
    const end = () => signatures.end();
    const answer = () => {
      end();
      done();
    };
    this.#give(job, job.texts, { size: 0, answer, end });
    return signatures;
  }

  /** Ends it; whoever waits gets no answer. It starts again when it is wanted again. */
  close(): void {
    const worker = this.#worker;
    this.#release();
    void worker?.terminate();
  }

  get #silenceMs(): number {
    return this.#options.silenceMs ?? SILENCE_MS;
  }

  #give(work: unknown, memory: ArrayBuffer, batch: Batch): void {
    const worker = this.#worker;
    if (worker === undefined || !this.#isReady) throw new Error('the thread is not ready');
    clearTimeout(this.#idle);
    this.#underWay.push(batch);
    worker.ref(); // the process must not end before the answer
    worker.postMessage(work, [memory]);
    if (this.#underWay.length === 1) this.#listen(worker);
  }

  #receive(worker: Worker, message: unknown): void {
    if (worker !== this.#worker) return;
    if (this.#isReady) this.#answer(message);
    else this.#isReady = true;
    if (worker !== this.#worker) return; // whoever had the answer gave it up
    if (this.#underWay.length === 0) this.#rest(worker);
    else this.#listen(worker);
  }

  #answer(message: unknown): void {
    const batch = this.#underWay.shift();
    const isAnswer = message instanceof Uint8Array && message.length === batch?.size;
    batch?.answer(isAnswer ? message : undefined);
  }

  /** Gives it up when it does not answer. */
  #listen(worker: Worker): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      // This thread may have been busy, or the process stopped: an answer that is there has its turn first.
      const batch = this.#underWay[0];
      setImmediate(() => {
        if (this.#underWay[0] === batch) this.#giveUp(worker, new Error('it does not answer'));
      });
    }, this.#silenceMs).unref();
  }

  #giveUp(worker: Worker | undefined, error: Error): void {
    if (worker === undefined) return;
    this.#lose(worker, error);
    void worker.terminate();
  }

  #rest(worker: Worker): void {
    worker.unref();
    clearTimeout(this.#silence);
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#options.idleMs ?? IDLE_MS).unref();
  }

  #lose(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#isUseless = true;
    this.#release();
    this.#tellLoss?.(error);
  }

  #release(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#idle);
    const unanswered = this.#underWay;
    this.#worker = undefined;
    this.#isReady = false;
    this.#underWay = [];
    for (const { end } of unanswered) end?.();
    // Not in the midst of what found out.
    setImmediate(() => {
      for (const { answer } of unanswered) answer(undefined);
    });
  }
}

/** chloride takes JavaScript where it finds no libsodium, whose verdict is another one in a few odd cases. */
function isNative(): boolean {
  try {
    return createRequire(import.meta.url)('chloride/bindings') === sodium;
  } catch {
    return false; // chloride has said so already
  }
}
