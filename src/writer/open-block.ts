/**
 * The block that gathers records until it fills a message. How far they shrink is known only afterwards, so it is
 * guessed and corrected: a few attempts for each block.
 */
import { unitsFor } from '../message/base32768.ts';
import { encodeBlock, type PackedBlock, packBlock, sealBlock } from '../message/block.ts';
import { compress, type Effort } from '../message/block-encodings.ts';
import type { LogBlockContent, LogContent } from '../message/content.ts';
import { MAX_BLOCK_BYTES, MAX_BLOCK_RECORDS, MAX_MESSAGE_UNITS, MAX_RECORD_BYTES } from '../message/limits.ts';
import { encodeLog } from '../message/log.ts';
import type { LogRecord, RunLabels } from '../message/record.ts';
import { RecordList, type Stretch } from '../message/record-list.ts';
import { fits, messageUnits } from '../message/size.ts';
import { aim, type Filled, FillGuess } from './fill-guess.ts';

export type LineContent = LogContent | LogBlockContent;

/** The other half of what a reader unpacks is room for the header of so many records. */
const MAX_BODY_BYTES = MAX_BLOCK_BYTES / 2;
/** With so many there may be no room for one more record. */
const FULL_BYTES = MAX_BODY_BYTES - MAX_RECORD_BYTES;
/** How far what a block's first attempt tells of its second is off on average. */
const ERROR_OF_SECOND = 0.025;
/** A sample: so many pieces of so many bytes, from all over the records. */
const SAMPLE_PIECES = 8;
const SAMPLE_PIECE_BYTES = 1024;
/** The fill at which a block is not worth another attempt: in a rush that costs half as much as another message. */
const GOOD: Readonly<Record<Effort, number>> = { fast: 0.6, small: 0.9 };
/** What does not fit is tried with fewer records this often, or more often until it fits. */
const MAX_ATTEMPTS = 3;
/** So much of a run is compressed with care: most runs are short, and what rushes on must not wait … */
const CAREFUL_BYTES = 2 * 1024 * 1024;
/** … and so much more for each millisecond: a two-hundredth of a rush, and all of what comes slowly. */
const CAREFUL_BYTES_PER_MS = 256;

/** To make a message of the first `count` records. */
interface Attempt extends Filled {
  readonly block: PackedBlock;
  readonly effort: Effort;
  readonly count: number;
}

/** One record's message: a `log`, which any SSB tool can read, or a block of one where compression must help. */
export function encodeAlone(labels: RunLabels, record: LogRecord): LineContent {
  const log = encodeLog(labels, record);
  return fits(log) ? log : encodeBlock(labels, [record]);
}

export class OpenBlock {
  readonly #labels: RunLabels;
  readonly #records = new RecordList();
  /** So much may still be compressed with care. */
  #carefulBytes = CAREFUL_BYTES;
  #refilledAt: number | undefined;
  readonly #guess: Readonly<Record<Effort, FillGuess>> = { fast: new FillGuess(), small: new FillGuess() };
  /** Bytes of records at which the next attempt is made. */
  #aimBytes = this.#guess.small.aimBytes;
  /** Of a sample of these records. */
  #density: number | undefined;

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
   * The first records, as many as a message holds; undefined when it may hold more than there are.
   * @param now milliseconds of any clock
   */
  takeFull(now: number): LineContent | undefined {
    this.#refill(now);
    const effort = this.#carefulBytes > 0 ? 'small' : 'fast';
    const guess = this.#guess[effort];
    if (guess.isPoor && this.#density === undefined) {
      this.#density = this.#sampleDensity();
      this.#aimBytes = guess.sampledAimBytes(this.#density) ?? this.#aimBytes;
      if (!this.mayBeFull) return undefined;
    }
    let attempt = this.#attempt(this.#records.countWithin(this.#aimBytes) || 1, effort);
    if (attempt.fill < GOOD[effort]) {
      this.#aimBytes = bytesToFill(attempt) * aim(ERROR_OF_SECOND);
      if (!this.mayBeFull) return undefined;
      const { length } = this.#records;
      const count = Math.max(this.#records.countWithin(this.#aimBytes), attempt.count + 1);
      if (attempt.count < length) attempt = this.#attempt(Math.min(count, length), effort);
    }
    if (effort === 'small') this.#carefulBytes -= attempt.bytes;
    guess.learn(attempt, this.#density);
    return this.#takeFitting(attempt);
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
    const block = packBlock(this.#labels, this.#records, count, effort);
    const room = MAX_MESSAGE_UNITS - messageUnits(block.content);
    const fill = unitsFor(block.data.length) / room;
    return { block, effort, count, bytes: this.#records.bytes(count), fill };
  }

  #sampleDensity(): number {
    const sample = this.#records.sample(SAMPLE_PIECES, SAMPLE_PIECE_BYTES);
    return compress(sample, 'fast').length / sample.length;
  }

  #takeFitting(first: Attempt): LineContent {
    const { block, count } = first.fill > 1 && first.count > 1 ? this.#shrink(first) : first;
    const taken = count === 1 ? encodeAlone(this.#labels, this.#records.record(0)) : sealBlock(block);
    this.#records.drop(count);
    this.#density = undefined;
    this.#aimBytes = this.#guess[first.effort].aimBytes;
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

function bytesToFill({ bytes, fill }: Filled): number {
  return bytes / fill;
}
