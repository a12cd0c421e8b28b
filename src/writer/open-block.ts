/**
 * The block that gathers records until it fills a message. How far they shrink is known only afterwards, so it is
 * guessed from the block before and corrected: a few attempts for each block.
 */
import { encodeBlock } from '../message/block.ts';
import type { LogBlockContent, LogContent } from '../message/content.ts';
import { MAX_BLOCK_BYTES, MAX_BLOCK_RECORDS, MAX_MESSAGE_UNITS, MAX_RECORD_BYTES } from '../message/limits.ts';
import { encodeLog } from '../message/log.ts';
import type { LogRecord, RunLabels } from '../message/record.ts';
import { fits, messageUnits } from '../message/size.ts';

export type LineContent = LogContent | LogBlockContent;

/** The other half of what a reader unpacks is room for the header of so many records. */
const MAX_BODY_BYTES = MAX_BLOCK_BYTES / 2;
/** The fill (1 is the message limit) at which attempts aim: a little less than all, or half of them would be too large. */
const AIM = 0.94;
/** The fill at which a block is not worth another attempt. */
const GOOD = 0.88;
/** Bytes of records that fill a block, until there was one to learn from. */
const FIRST_GUESS_BYTES = 24_000;

interface Attempt {
  readonly content: LogBlockContent;
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
  #records: LogRecord[] = [];
  #bytes = 0;
  #guessBytes = FIRST_GUESS_BYTES;

  constructor(labels: RunLabels) {
    this.#labels = labels;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** @param record fits into a message of its own, and follows the one before */
  add(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
  }

  /** Whether `takeFull` is worth its attempts. */
  get mayBeFull(): boolean {
    return this.#bytes >= this.#guessBytes || this.#isAtLimit;
  }

  /** The first records, as many as a message holds; undefined when a message would hold more than there are. */
  takeFull(): LineContent | undefined {
    const attempt = this.#attempt(this.#records.length);
    if (attempt.fill >= GOOD || this.#isAtLimit) return this.#takeFitting(attempt);
    this.#guessBytes = bytesToFill(attempt);
    return undefined;
  }

  /** All records; mostly in one message. */
  takeAll(): LineContent[] {
    const contents: LineContent[] = [];
    while (!this.isEmpty) contents.push(this.#takeFitting(this.#attempt(this.#records.length)));
    return contents;
  }

  get #isAtLimit(): boolean {
    return this.#records.length >= MAX_BLOCK_RECORDS || this.#bytes >= MAX_BODY_BYTES - MAX_RECORD_BYTES;
  }

  #attempt(count: number): Attempt {
    const records = this.#records.slice(0, count);
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    const content = encodeBlock(this.#labels, records);
    const room = MAX_MESSAGE_UNITS - (messageUnits(content) - content.data.length);
    return { content, count, bytes, fill: content.data.length / room };
  }

  #takeFitting(first: Attempt): LineContent {
    let attempt = first;
    while (attempt.fill > 1 && attempt.count > 1) attempt = this.#attempt(this.#smallerCount(attempt));
    const taken = this.#records.slice(0, attempt.count);
    this.#records = this.#records.slice(attempt.count);
    this.#bytes -= attempt.bytes;
    // A block that was not filled compresses worse: nothing to learn from it.
    if (attempt.fill >= GOOD) this.#guessBytes = bytesToFill(attempt);
    return taken.length === 1 ? encodeAlone(this.#labels, taken[0] as LogRecord) : attempt.content;
  }

  #smallerCount(attempt: Attempt): number {
    const maxBytes = bytesToFill(attempt);
    let bytes = 0;
    let count = 0;
    while (count < attempt.count - 1) {
      bytes += sizeOf(this.#records[count] as LogRecord);
      if (bytes > maxBytes) break;
      count += 1;
    }
    return Math.max(1, count);
  }
}

function sizeOf(record: LogRecord): number {
  return record.bytes.length + 1;
}

function bytesToFill(attempt: Attempt): number {
  return (attempt.bytes * AIM) / attempt.fill;
}
