/**
 * The block that gathers records until it fills a message. How far they shrink is known only afterwards, so it is
 * guessed from the block before and corrected: a few attempts for each block.
 */
import { encodeBlock, encodeFirst } from '../message/block.ts';
import type { Effort } from '../message/block-encodings.ts';
import type { LogBlockContent, LogContent } from '../message/content.ts';
import { MAX_BLOCK_BYTES, MAX_BLOCK_RECORDS, MAX_MESSAGE_UNITS, MAX_RECORD_BYTES } from '../message/limits.ts';
import { encodeLog } from '../message/log.ts';
import type { LogRecord, RunLabels } from '../message/record.ts';
import { RecordList, type Stretch } from '../message/record-list.ts';
import { fits, messageUnits } from '../message/size.ts';

export type LineContent = LogContent | LogBlockContent;

/** The other half of what a reader unpacks is room for the header of so many records. */
const MAX_BODY_BYTES = MAX_BLOCK_BYTES / 2;
/** With so many there may be no room for one more record. */
const FULL_BYTES = MAX_BODY_BYTES - MAX_RECORD_BYTES;
/** Bytes of records that fill a message, until there was one to learn from. */
const FIRST_GUESS_BYTES = 30_000;
/** How far the guess is off on average, as a share of it, until that is known. */
const FIRST_ERROR = 0.05;
/** The same of what a block's first attempt tells of its second. */
const ERROR_OF_SECOND = 0.025;
/** What a new block counts in the averages of those before. */
const NEWEST_WEIGHT = 0.3;
/** Of guesses that are off by this many average errors, one in six makes a block too large, and an attempt vain. */
const ERRORS_LEFT_FREE = 1.3;
const MIN_AIM = 0.8;
const MAX_AIM = 0.98;
/** The fill at which a block is not worth another attempt. */
const GOOD: Readonly<Record<Effort, number>> = { fast: 0.8, small: 0.9 };
/** What does not fit is tried with fewer records this often, or more often until it fits. */
const MAX_ATTEMPTS = 3;
/** So much of a run is compressed with care: most runs are short, and what rushes on must not wait … */
const CAREFUL_BYTES = 2 * 1024 * 1024;
/** … and so much more for each millisecond: a fiftieth of a rush, and all of what comes slowly. */
const CAREFUL_BYTES_PER_MS = 1024;

interface Attempt {
  readonly content: LogBlockContent;
  readonly effort: Effort;
  /** How many of the records are in it, and their bytes. */
  readonly count: number;
  readonly bytes: number;
  /** The data's share of the room that the message has for it; above 1 it does not fit. */
  readonly fill: number;
}

/** One record's message: a `log`, which any SSB tool can read, or a block of one where compression must help. */
export function encodeAlone(labels: RunLabels, record: LogRecord): LineContent {
  const log = encodeLog(labels, record);
  return fits(log) ? log : encodeBlock(labels, [record]);
}

export class OpenBlock {
  readonly #labels: RunLabels;
  readonly #records = new RecordList();
  /** Of blocks that went out. */
  #takenBytes = 0;
  /** So much may still be compressed with care. */
  #carefulBytes = CAREFUL_BYTES;
  #refilledAt: number | undefined;
  /** Bytes of records that fill a message: what the blocks before tell. */
  #guessBytes = FIRST_GUESS_BYTES;
  #error = FIRST_ERROR;
  #aimBytes = FIRST_GUESS_BYTES;

  constructor(labels: RunLabels) {
    this.#labels = labels;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** @param record fits into a message of its own, and follows the one before */
  add(record: LogRecord): void {
    this.#records.add(record);
  }

  /**
   * Adds lines of a stretch, each of which fits into a message of its own, until the block may be full.
   * @param line the number of the line `from` as a record
   * @param levels `levelSymbol` of each line of the stretch
   * @returns the first line that was not added; at least one was
   */
  fill(stretch: Stretch, part: { line: number; from: number; to: number; levels: ArrayLike<number> }): number {
    const { ends } = stretch;
    const { from, to } = part;
    const start = from === 0 ? 0 : (ends[from - 1] as number) + 1;
    const last = start + Math.min(this.#aimBytes, FULL_BYTES) - this.#records.bytes() - 1;
    const maxTo = Math.min(to, from + MAX_BLOCK_RECORDS - this.#records.length);
    let next = from + 1;
    while (next < maxTo && (ends[next - 1] as number) < last) next += 1;
    this.#records.addLines(stretch, { ...part, to: next });
    return next;
  }

  /** Whether `takeFull` is worth its attempts. */
  get mayBeFull(): boolean {
    return this.#records.bytes() >= this.#aimBytes || this.#isAtLimit;
  }

  /**
   * The first records, as many as a message holds; undefined when a message would hold more than there are.
   * @param now milliseconds of any clock
   */
  takeFull(now: number): LineContent | undefined {
    this.#refill(now);
    const attempt = this.#attempt(this.#records.length, this.#carefulBytes > 0 ? 'small' : 'fast');
    if (attempt.fill >= GOOD[attempt.effort] || this.#isAtLimit) {
      if (attempt.effort === 'small') this.#carefulBytes -= attempt.bytes;
      this.#learn(attempt);
      return this.#takeFitting(attempt);
    }
    this.#aimBytes = bytesToFill(attempt) * aim(ERROR_OF_SECOND);
    return undefined;
  }

  /** All records; mostly in one message. */
  takeAll(): LineContent[] {
    const contents: LineContent[] = [];
    while (!this.isEmpty) contents.push(this.#takeFitting(this.#attempt(this.#records.length, 'small')));
    return contents;
  }

  #refill(now: number): void {
    const elapsedMs = Math.max(0, now - (this.#refilledAt ?? now));
    this.#carefulBytes = Math.min(CAREFUL_BYTES, this.#carefulBytes + elapsedMs * CAREFUL_BYTES_PER_MS);
    this.#refilledAt = now;
  }

  get #isAtLimit(): boolean {
    return this.#records.length >= MAX_BLOCK_RECORDS || this.#records.bytes() >= FULL_BYTES;
  }

  #attempt(count: number, effort: Effort): Attempt {
    const content = encodeFirst(this.#labels, this.#records, count, effort);
    const room = MAX_MESSAGE_UNITS - (messageUnits(content) - content.data.length);
    return { content, effort, count, bytes: this.#records.bytes(count), fill: content.data.length / room };
  }

  #learn(attempt: Attempt): void {
    const bytes = bytesToFill(attempt);
    if (this.#takenBytes === 0) this.#guessBytes = bytes;
    this.#error += NEWEST_WEIGHT * (Math.abs(bytes / this.#guessBytes - 1) - this.#error);
    this.#guessBytes += NEWEST_WEIGHT * (bytes - this.#guessBytes);
    this.#aimBytes = this.#guessBytes * aim(this.#error);
  }

  #takeFitting(first: Attempt): LineContent {
    const { content, count, bytes } = first.fill > 1 && first.count > 1 ? this.#shrink(first) : first;
    const taken = count === 1 ? encodeAlone(this.#labels, this.#records.record(0)) : content;
    this.#records.drop(count);
    this.#takenBytes += bytes;
    return taken;
  }

  /** @returns the best of a few attempts with fewer records, which fits, or holds one record */
  #shrink(tooLarge: Attempt): Attempt {
    let large = tooLarge;
    let small: Attempt | undefined;
    for (
      let attempts = 1;
      small === undefined || (small.fill < GOOD[small.effort] && attempts <= MAX_ATTEMPTS);
      attempts += 1
    ) {
      const count = this.#countBetween(small, large);
      if (count === small?.count) return small;
      const attempt = this.#attempt(count, large.effort);
      if (attempt.fill <= 1 || count === 1) small = attempt;
      else large = attempt;
    }
    return small;
  }

  /** How many records may just fit, as far as two attempts tell. */
  #countBetween(small: Attempt | undefined, large: Attempt): number {
    const { bytes, count, fill } = small ?? { bytes: 0, count: 0, fill: 0 };
    const share = (aim(ERROR_OF_SECOND) - fill) / (large.fill - fill);
    const wanted = this.#records.countWithin(bytes + (large.bytes - bytes) * share);
    return Math.max(1, Math.min(Math.max(wanted, count), large.count - 1));
  }
}

function bytesToFill({ bytes, fill }: Attempt): number {
  return bytes / fill;
}

/** The fill at which an attempt aims when the guess is off by so much on average. */
function aim(error: number): number {
  return Math.min(MAX_AIM, Math.max(MIN_AIM, 1 - ERRORS_LEFT_FREE * error));
}
