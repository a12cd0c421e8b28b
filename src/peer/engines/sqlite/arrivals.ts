/**
 * Messages of others that wait for their turn while a second thread verifies their signatures. A verdict depends on the
 * message alone, so that may be done ahead; whether a message is the next one of its feed is decided in its turn, in
 * the order of arrival. So what is taken and what is refused is the same as without the thread.
 */
import type { SignedMessage, SignedValue } from '../../../message/signed.ts';
import type { Callback } from '../../ssb/types.ts';
import { isValid, type SignatureJob } from './signature-job.ts';
import type { SignatureThread } from './signature-thread.ts';
import { isFeedId, type Precheck, type Prepared, prepare } from './validate.ts';

/** Signatures that the thread gets at a time: half of what there is, so that both are done at the same time. */
const MAX_BATCH = 64;
const MIN_BATCH = 16;
/** With fewer at once this thread keeps up by itself, at less cost. */
const WORTH_SHARING = 64;
/** Signatures that this thread verifies between two looks at what else there is to do. */
const SHARE = 4;
/** When more wait, they have their turn at once: senders go at this machine's pace. */
const MAX_WAITING = 1024;

interface Arrival {
  readonly value: unknown;
  readonly done: Callback<SignedMessage>;
  readonly text: string | undefined;
  isSigned: boolean | undefined;
  /** The thread has its signature, or will have it. */
  isOpen: boolean;
}

export interface ArrivalsOptions {
  readonly thread: SignatureThread;
  readonly hmacKey: Buffer | undefined;
  /** The sequence of a feed's last message; 0 when it has none. */
  readonly sequence: (feed: string) => number;
  /** Decides on a message, whose turn has come. Must not throw, nor call back before it returns. */
  readonly take: (value: unknown, done: Callback<SignedMessage>, known: Precheck | undefined) => void;
  /** All that waited had its turn. */
  readonly onEmpty: () => void;
}

export class Arrivals {
  readonly #options: ArrivalsOptions;
  #waiting: Arrival[] = [];
  /** What the thread has not got yet. */
  #unsent: { readonly arrival: Arrival; readonly job: SignatureJob }[] = [];
  /** By feed, the last sequence that waits. */
  readonly #last = new Map<string, number>();
  #isScheduled = false;
  /** Since the last time that nothing waited. */
  #hasShared = false;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(value: unknown, done: Callback<SignedMessage>): void {
    const prepared = this.#prepare(value);
    const arrival: Arrival = { value, done, text: prepared?.text, isSigned: undefined, isOpen: false };
    this.#waiting.push(arrival);
    if (prepared !== undefined) this.#verify(arrival, prepared.job);
    if (this.#waiting.length > MAX_WAITING) this.settle();
    else this.#schedule();
  }

  /** Lets everything have its turn, whatever the thread has done. */
  settle(): void {
    for (const arrival of this.#waiting) arrival.isOpen = false;
    this.#unsent = [];
    this.#takeDecided();
  }

  #prepare(value: unknown): Prepared | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const message = value as SignedValue;
    const { author } = message;
    if (!isFeedId(author)) return undefined;
    const { sequence, hmacKey } = this.#options;
    const prepared = prepare(message, (this.#last.get(author) ?? sequence(author)) + 1, hmacKey);
    if (prepared !== undefined) this.#last.set(author, message.sequence);
    return prepared;
  }

  #verify(arrival: Arrival, job: SignatureJob): void {
    arrival.isOpen = true;
    this.#unsent.push({ arrival, job });
    if (this.#unsent.length === WORTH_SHARING) this.#send();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }

  /** Both threads take from what waits, so that neither idles while there is some. */
  #work(): void {
    const { isReady, isBusy } = this.#options.thread;
    const isWorthIt = this.#unsent.length >= (this.#hasShared ? MIN_BATCH : WORTH_SHARING);
    if (!isReady || (!isBusy && !isWorthIt)) {
      this.settle();
      return;
    }
    this.#send();
    for (const { arrival, job } of this.#unsent.splice(0, SHARE)) decide(arrival, isValid(job));
    this.#takeDecided();
    if (this.#unsent.length > 0) this.#schedule();
  }

  #send(): void {
    const { thread } = this.#options;
    if (this.#unsent.length === 0 || !thread.isReady || thread.isBusy) return;
    this.#hasShared = true;
    const batch = this.#unsent.splice(0, Math.min(MAX_BATCH, Math.max(MIN_BATCH, this.#unsent.length >> 1)));
    thread.check(
      batch.map(({ job }) => job),
      (verdicts) => {
        if (verdicts === undefined) {
          this.settle();
          return;
        }
        batch.forEach(({ arrival }, index) => {
          decide(arrival, verdicts[index] === 1);
        });
        this.#takeDecided();
        this.#send();
      },
    );
  }

  #takeDecided(): void {
    const open = this.#waiting.findIndex(({ isOpen }) => isOpen);
    const decided = this.#waiting.splice(0, open === -1 ? this.#waiting.length : open);
    for (const { value, done, text, isSigned } of decided)
      this.#options.take(value, done, text === undefined ? undefined : { text, isSigned });
    if (decided.length === 0 || !this.isEmpty) return;
    this.#last.clear();
    this.#hasShared = false;
    this.#options.onEmpty();
  }
}

function decide(arrival: Arrival, isSigned: boolean): void {
  arrival.isSigned = isSigned;
  arrival.isOpen = false;
}
