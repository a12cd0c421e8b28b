/**
 * Lines of one run to the contents of messages: numbered, levelled, one by one while they trickle, in blocks when they
 * rush. Pure: the caller brings the clock, sends what comes out, and asks in time for what waits.
 */
import { SsblogError } from '../errors.ts';
import { detectLevel } from '../lines/detect-level.ts';
import type { RawLine } from '../lines/split.ts';
import { characterCut } from '../lines/utf8.ts';
import { encodeBlock } from '../message/block.ts';
import type { Level } from '../message/level.ts';
import { MAX_MESSAGE_UNITS, MAX_RECORD_BYTES, MAX_TIME_MS } from '../message/limits.ts';
import { encodeLog } from '../message/log.ts';
import type { LogRecord, RunLabels, StreamName } from '../message/record.ts';
import { fits, messageUnits } from '../message/size.ts';
import { encodeAlone, type LineContent, OpenBlock } from './open-block.ts';
import { Trickle } from './trickle.ts';

export interface PackerOptions {
  readonly labels: RunLabels;
  /** The level of every line; undefined: the one that `detect` finds in it. */
  readonly level?: Level | undefined;
  /** false: one message for each record. */
  readonly blocks: boolean;
  /** Milliseconds of a clock that does not step back (`performance.now`): it paces messages, it does not stamp lines. */
  readonly now: () => number;
  readonly detect?: (bytes: Buffer) => Level | undefined;
}

/** Lines that came at once. */
interface Batch {
  readonly now: number;
  readonly isTrickle: boolean;
  /** Takes the messages that are ready. */
  readonly contents: LineContent[];
}

/** How long a line may wait for its block to fill. */
const MAX_WAIT_MS = 200;

export class Packer {
  readonly #options: PackerOptions;
  readonly #detect: (bytes: Buffer) => Level | undefined;
  readonly #safeBytes: number;
  readonly #block: OpenBlock;
  readonly #trickle: Trickle;
  /** When the open block's first record came. */
  #openedAt = 0;
  /** The levels of lines of which more pieces are to come. */
  readonly #unfinished = new Map<StreamName | undefined, Level | undefined>();
  readonly #levelCounts: Partial<Record<Level, number>> = {};
  #records = 0;
  #lines = 0;
  #at = 0;

  /** @throws SsblogError 'usage' when the labels alone fill a message */
  constructor(options: PackerOptions) {
    this.#options = options;
    this.#detect = options.detect ?? detectLevel;
    this.#safeBytes = safeRecordBytes(options.labels, options.blocks);
    this.#block = new OpenBlock(options.labels);
    this.#trickle = new Trickle(options.now());
  }

  /** How many records there were, which is the number of the last one. */
  get records(): number {
    return this.#records;
  }

  /** How many lines have ended. */
  get lines(): number {
    return this.#lines;
  }

  /** How many of these lines had which level. */
  get levelCounts(): Readonly<Partial<Record<Level, number>>> {
    return this.#levelCounts;
  }

  /** When, by the clock `now`, to call `flush`; undefined while nothing waits. */
  deadline(): number | undefined {
    return this.#block.isEmpty ? undefined : this.#openedAt + MAX_WAIT_MS;
  }

  /** @returns the messages that are ready, in the order of their lines */
  add(lines: readonly RawLine[], stream?: StreamName): LineContent[] {
    const contents: LineContent[] = [];
    const now = this.#options.now();
    const isTrickle = this.#trickle.admits(lines.length, now);
    for (const line of lines) {
      // Two streams are stamped apart, so the one that is read second may have the older line.
      this.#at = Math.max(this.#at, line.at);
      const level = this.#levelOf(line, stream);
      const { bytes, more } = line;
      this.#accept({ line: this.#records + 1, at: this.#at, bytes, level, stream, more }, { now, isTrickle, contents });
    }
    // A caller that is busy with new lines may be late to flush.
    const deadline = this.deadline();
    if (deadline !== undefined && now >= deadline) contents.push(...this.flush());
    return contents;
  }

  /** The messages for all that waits. */
  flush(): LineContent[] {
    return this.#block.takeAll();
  }

  /** Pieces of a line have the level of its first piece, and count once. */
  #levelOf(line: RawLine, stream: StreamName | undefined): Level | undefined {
    const level = this.#unfinished.has(stream)
      ? this.#unfinished.get(stream)
      : (this.#options.level ?? this.#detect(line.bytes));
    if (line.more) {
      this.#unfinished.set(stream, level);
    } else {
      this.#unfinished.delete(stream);
      this.#lines += 1;
      if (level !== undefined) this.#levelCounts[level] = (this.#levelCounts[level] ?? 0) + 1;
    }
    return level;
  }

  /** Halves a record that does not fit into any message. */
  #accept(record: LogRecord, batch: Batch): void {
    const { bytes } = record;
    if (bytes.length <= this.#safeBytes || this.#fitsAlone(record)) {
      this.#records = record.line;
      this.#place(record, batch);
      return;
    }
    const half = bytes.length >> 1;
    const cut = characterCut(bytes, half) || half;
    this.#accept({ ...record, bytes: bytes.subarray(0, cut), more: true }, batch);
    this.#accept({ ...record, bytes: bytes.subarray(cut), line: this.#records + 1 }, batch);
  }

  #fitsAlone(record: LogRecord): boolean {
    if (record.bytes.length > MAX_RECORD_BYTES) return false;
    const { labels, blocks } = this.#options;
    return fits(encodeLog(labels, record)) || (blocks && fits(encodeBlock(labels, [record])));
  }

  #place(record: LogRecord, { now, isTrickle, contents }: Batch): void {
    const { labels, blocks } = this.#options;
    const block = this.#block;
    if (block.isEmpty) {
      if (isTrickle || !blocks) {
        contents.push(encodeAlone(labels, record));
        return;
      }
      this.#openedAt = now;
    }
    block.add(record);
    while (block.mayBeFull) {
      const content = block.takeFull();
      if (content === undefined) return;
      contents.push(content);
      this.#openedAt = now;
    }
  }
}

/** A record of at most so many bytes fits into a message of its own, whatever the bytes are. */
function safeRecordBytes(labels: RunLabels, blocks: boolean): number {
  const longest: LogRecord = {
    line: Number.MAX_SAFE_INTEGER,
    at: MAX_TIME_MS,
    bytes: Buffer.of(0xff),
    level: 'warning',
    stream: 'stderr',
    more: true,
  };
  const block = encodeBlock(labels, [longest]);
  const bytes = blocks
    ? // Base64 takes 4 units for 3 bytes; the rest is for the block's header and what deflate adds where it gains nothing.
      (MAX_MESSAGE_UNITS - messageUnits({ ...block, data: '' })) * 0.75 - 100
    : // JSON escapes a control character with 6 units, and beside bytes that are not UTF-8 all are in base64 again.
      (MAX_MESSAGE_UNITS - messageUnits(encodeLog(labels, longest))) / (6 + 4 / 3);
  if (bytes < 1) throw new SsblogError('usage', 'source, destination and job are too long together');
  return Math.floor(bytes);
}
