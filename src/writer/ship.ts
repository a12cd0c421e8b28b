/**
 * Carries contents to a sink, in order, and keeps each until it is durable; what cannot be delivered
 * goes to the spool. Whatever happens to the sink, the producer never waits for long and nothing is dropped.
 */
import { Change } from '../change.ts';
import { SsblogError } from '../errors.ts';
import type { Content } from '../message/content.ts';
import { Batch } from './batch.ts';
import { Loop } from './loop.ts';
import type { Sink } from './sink.ts';
import { linesIn } from './spool.ts';
import type { SpoolFile } from './spool-file.ts';

/** While a call is under way, what follows waits for so many: many small calls would be as many commits. */
const WORTH_A_CALL = 32;

/** Calls under way at a time: enough to keep the daemon busy while one commits. */
const WINDOW_CALLS = 4;

/** Calls whose contents are kept because they are not durable yet; beyond it the input waits. */
const MAX_WAITING_CALLS = 8;

/** A sink that answers nothing for this long is given up. */
const ANSWER_TIMEOUT_MS = 30_000;

/** One that does not close within this time is left as it is. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface ShipperOptions {
  /** Opens a sink; rejects when there is none to be had now. Called again when one is lost. */
  readonly openSink: () => Promise<Sink>;
  readonly spool: SpoolFile;
  /** Says once why lines go to the spool. */
  readonly onSpool: (reason: unknown) => void;
  /** Says that a sink did not close in order. Whatever it acknowledged is durable all the same. */
  readonly onCloseFailure: (error: unknown) => void;
  readonly answerTimeoutMs?: number;
  readonly closeTimeoutMs?: number;
}

export interface Shipped {
  /** Lines that went to the spool, for the daemon to publish. */
  readonly spooled: number;
  /** Lines that neither a peer nor the spool took; all others are durable in the feed. */
  readonly dropped: number;
  /** Why they were dropped. */
  readonly failure?: unknown;
}

/** What is sent in one call; until then it grows. */
class Call extends Batch {
  isSent = false;
}

export class Shipper {
  readonly #options: ShipperOptions;
  #calls: Call[] = [];
  #sink: Sink | undefined;
  #spooling = false;
  #spooled = 0;
  #dropped = 0;
  readonly #loop = new Loop(() => this.#run());
  #failure: { readonly error: unknown } | undefined;
  /** Wakes who waits for room or for the end. */
  readonly #changed = new Change();

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** Takes contents over; resolves when there is room for more. */
  async ship(contents: readonly Content[]): Promise<void> {
    if (contents.length === 0) return;
    if (this.#failure !== undefined) {
      this.#dropped += countLines(contents); // the producer must still be able to write to its end
      return;
    }
    for (const content of contents) this.#enqueue(content);
    this.#changed.tell();
    this.#loop.wake();
    while (this.#failure === undefined && this.#calls.length > MAX_WAITING_CALLS) await this.#changed.next();
  }

  /** Resolves when everything is durable, in the feed or in the spool. */
  async finish(): Promise<Shipped> {
    await this.#loop.idle();
    if (this.#sink !== undefined) await this.#close(this.#sink);
    if (this.#failure === undefined) await this.#spoolStep(() => this.#options.spool.close());
    const outcome = { spooled: this.#spooled, dropped: this.#dropped };
    return this.#failure === undefined ? outcome : { ...outcome, failure: this.#failure.error };
  }

  #enqueue(content: Content): void {
    let last = this.#calls.at(-1);
    if (last === undefined || last.isSent || last.isFullFor(content)) {
      last = new Call();
      this.#calls.push(last);
    }
    last.add(content);
  }

  async #run(): Promise<void> {
    try {
      while (this.#calls.length > 0) {
        if (this.#spooling) await this.#spoolAll();
        else await this.#deliver();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #spoolStep(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Neither peer nor spool: the one failure that cannot be mended here. What waits is dropped, and counted. */
  #fail(error: unknown): void {
    this.#failure = { error };
    for (const { contents } of this.#calls) this.#dropped += countLines(contents);
    this.#calls = [];
    this.#changed.tell();
  }

  /** Sends until nothing is left, or the sink fails; what is not acknowledged then stays in `#calls`. */
  async #deliver(): Promise<void> {
    try {
      this.#sink ??= await this.#options.openSink();
    } catch (error) {
      this.#spoolFromNowOn(error);
      return;
    }
    const sink = this.#sink;
    const underWay = new Set<Promise<void>>();
    let failure: { error: unknown } | undefined;
    while (failure === undefined && this.#calls.length > 0) {
      const next = this.#next(underWay.size);
      if (next === undefined) {
        await Promise.race([...underWay, this.#changed.next()]);
        continue;
      }
      next.isSent = true;
      const answer: Promise<void> = this.#send(sink, next).then(
        () => this.#acknowledge(next),
        (error: unknown) => {
          failure ??= { error };
        },
      );
      underWay.add(answer);
      void answer.finally(() => underWay.delete(answer));
    }
    await Promise.all(underWay);
    if (failure !== undefined) await this.#lose(sink, failure.error);
  }

  #next(callsUnderWay: number): Call | undefined {
    if (callsUnderWay === WINDOW_CALLS) return undefined;
    const next = this.#calls.find(({ isSent }) => !isSent);
    return callsUnderWay === 0 || (next?.contents.length ?? 0) >= WORTH_A_CALL ? next : undefined;
  }

  async #send(sink: Sink, { contents }: Call): Promise<void> {
    const timeoutMs = this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    await within(
      timeoutMs,
      sink.write([...contents]), // a call that is given up may grow before it is made again
      () => new SsblogError('peer', `the daemon did not answer for ${timeoutMs / 1000} s`),
    );
  }

  /** Neither a sink that hangs nor one that fails to close may keep the producer, or turn what is durable into a failure. */
  async #close(sink: Sink): Promise<void> {
    const timeoutMs = this.#options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS;
    try {
      await within(timeoutMs, sink.close(), () => new Error(`it took more than ${timeoutMs / 1000} s`));
    } catch (error) {
      this.#options.onCloseFailure(error);
    }
  }

  #acknowledge(call: Call): void {
    this.#calls.splice(this.#calls.indexOf(call), 1);
    this.#changed.tell();
  }

  /** A sink that went away may come back (a restart, a hand-over); one that refuses will refuse again. */
  async #lose(sink: Sink, error: unknown): Promise<void> {
    this.#sink = undefined;
    for (const call of this.#calls) call.isSent = false;
    await this.#close(sink);
    if (!(error instanceof SsblogError) || error.code !== 'lost') this.#spoolFromNowOn(error);
  }

  /** For the rest of the run: a later line must not reach the feed before an earlier one in the spool. */
  #spoolFromNowOn(reason: unknown): void {
    this.#spooling = true;
    this.#options.onSpool(reason);
  }

  async #spoolAll(): Promise<void> {
    for (let call = this.#calls[0]; call !== undefined; call = this.#calls[0]) {
      call.isSent = true; // it must not grow meanwhile
      await this.#options.spool.append(call.contents);
      this.#calls.shift();
      this.#spooled += countLines(call.contents);
    }
    this.#changed.tell();
  }
}

/** @throws what `late` makes when the work takes longer */
async function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function countLines(contents: readonly Content[]): number {
  return contents.reduce((sum, content) => sum + linesIn(content), 0);
}
