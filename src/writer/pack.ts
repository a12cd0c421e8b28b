/**
 * Lines of one run to the contents of messages: numbered, levelled, one by one while they trickle, in blocks when they
 * rush. Pure: the caller brings the clock, sends what comes out, and asks in time for what waits.
 */
import { SsblogError } from '../errors.ts';
import { detectLevel } from '../lines/detect-level.ts';
import type { RawLines } from '../lines/split.ts';
import { characterCut } from '../lines/utf8.ts';
import { BITS } from '../message/base32768.ts';
import { encodeBlock } from '../message/block.ts';
import { LEVELS, type Level } from '../message/level.ts';
import { MAX_MESSAGE_UNITS, MAX_RECORD_BYTES, MAX_TIME_MS } from '../message/limits.ts';
import { encodeLog } from '../message/log.ts';
import type { LogRecord, RunLabels, StreamName } from '../message/record.ts';
import { levelOfSymbol, levelSymbol, type Stretch } from '../message/record-list.ts';
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
  readonly detect?: typeof detectLevel;
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
  readonly #detect: typeof detectLevel;
  readonly #safeBytes: number;
  readonly #block: OpenBlock;
  readonly #trickle: Trickle;
  /** When the open block's first record came. */
  #openedAt = 0;
  /** The levels of lines of which more pieces are to come. */
  readonly #unfinished = new Map<StreamName | undefined, Level | undefined>();
  /** By `levelSymbol`. */
  readonly #levelCounts = new Float64Array(256);
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
    const counts = LEVELS.map((level) => [level, this.#levelCounts[levelSymbol(level)] as number] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** When, by the clock `now`, to call `flush`; undefined while nothing waits. */
  deadline(): number | undefined {
    return this.#block.isEmpty ? undefined : this.#openedAt + MAX_WAIT_MS;
  }

  /** @returns the messages that are ready, in the order of their lines */
  add(lines: readonly RawLines[], stream?: StreamName): LineContent[] {
    const contents: LineContent[] = [];
    const now = this.#options.now();
    const count = lines.reduce((sum, { ends }) => sum + ends.length, 0);
    const batch: Batch = { now, isTrickle: this.#trickle.admits(count, now), contents };
    for (const some of lines) this.#addStretch(some, stream, batch);
    // A caller that is busy with new lines may be late to flush.
    const deadline = this.deadline();
    if (deadline !== undefined && now >= deadline) contents.push(...this.flush());
    return contents;
  }

  /** The messages for all that waits. */
  flush(): LineContent[] {
    return this.#block.takeAll();
  }

  #addStretch({ bytes, ends, at, more }: RawLines, stream: StreamName | undefined, batch: Batch): void {
    // Two streams are stamped apart, so the one that is read second may have the older line.
    this.#at = Math.max(this.#at, at);
    const stretch: Stretch = { bytes, ends, at: this.#at, stream, more };
    const levels = this.#levelsOf(stretch);
    let from = 0;
    for (let index = 0, start = 0; index < ends.length; index += 1) {
      const end = ends[index] as number;
      if (end - start > this.#safeBytes) {
        this.#addShort(stretch, { from, to: index, levels }, batch);
        this.#accept(this.#recordIn(stretch, index, levels), batch);
        from = index + 1;
      }
      start = end + 1;
    }
    this.#addShort(stretch, { from, to: ends.length, levels }, batch);
  }

  /** `levelSymbol` of each line. Pieces of a line have the level of its first piece, and count once. */
  #levelsOf({ bytes, ends, stream, more }: Stretch): Uint8Array {
    const symbols = new Uint8Array(ends.length);
    const given = this.#options.level;
    let start = 0;
    for (let index = 0; index < ends.length; index += 1) {
      const end = ends[index] as number;
      const goesOn = index === 0 && this.#unfinished.has(stream);
      const level = goesOn ? this.#unfinished.get(stream) : (given ?? this.#detect(bytes, start, end));
      const symbol = levelSymbol(level);
      symbols[index] = symbol;
      start = end + 1;
      if (more) {
        this.#unfinished.set(stream, level);
        continue;
      }
      if (goesOn) this.#unfinished.delete(stream);
      this.#lines += 1;
      this.#levelCounts[symbol] = (this.#levelCounts[symbol] as number) + 1;
    }
    return symbols;
  }

  #recordIn({ bytes, ends, at, stream, more }: Stretch, index: number, levels: Uint8Array): LogRecord {
    const start = index === 0 ? 0 : (ends[index - 1] as number) + 1;
    return {
      line: this.#records + 1,
      at,
      bytes: bytes.subarray(start, ends[index]),
      level: levelOfSymbol(levels[index]),
      stream,
      more,
    };
  }

  /** Lines that fit into a message of their own, whatever is in them. */
  #addShort(stretch: Stretch, { from, to, levels }: { from: number; to: number; levels: Uint8Array }, batch: Batch) {
    for (let next = from; next < to; ) {
      if (this.#goesAlone(batch)) {
        this.#sendAlone(this.#recordIn(stretch, next, levels), batch);
        next += 1;
        continue;
      }
      const end = this.#block.fill(stretch, { line: this.#records + 1, from: next, to, levels });
      this.#records += end - next;
      next = end;
      this.#takeFull(batch);
    }
  }

  /** Halves a record that does not fit into any message. */
  #accept(record: LogRecord, batch: Batch): void {
    const { bytes } = record;
    if (!this.#fitsAlone(record)) {
      const half = bytes.length >> 1;
      const cut = characterCut(bytes, half) || half;
      this.#accept({ ...record, bytes: bytes.subarray(0, cut), more: true }, batch);
      this.#accept({ ...record, bytes: bytes.subarray(cut), line: this.#records + 1 }, batch);
    } else if (this.#goesAlone(batch)) {
      this.#sendAlone(record, batch);
    } else {
      this.#block.add(record);
      this.#records += 1;
      this.#takeFull(batch);
    }
  }

  #fitsAlone(record: LogRecord): boolean {
    const { bytes } = record;
    if (bytes.length <= this.#safeBytes) return true;
    if (bytes.length > MAX_RECORD_BYTES) return false;
    const { labels, blocks } = this.#options;
    return fits(encodeLog(labels, record)) || (blocks && fits(encodeBlock(labels, [record])));
  }

  /** Whether the next record is a message; if not, the block is open when this returns. */
  #goesAlone({ now, isTrickle }: Batch): boolean {
    if (!this.#block.isEmpty) return false;
    if (isTrickle || !this.#options.blocks) return true;
    this.#openedAt = now;
    return false;
  }

  #sendAlone(record: LogRecord, { contents }: Batch): void {
    this.#records += 1;
    contents.push(encodeAlone(this.#options.labels, record));
  }

  #takeFull({ now, contents }: Batch): void {
    while (this.#block.mayBeFull) {
      const content = this.#block.takeFull(now);
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
    ? // What is taken off is for the block's header, and what compression adds where it gains nothing.
      (MAX_MESSAGE_UNITS - messageUnits({ ...block, data: '' })) * (BITS / 8) - 100
    : // JSON escapes a control character with 6 units, and beside bytes that are not UTF-8 all are in base64 again.
      (MAX_MESSAGE_UNITS - messageUnits(encodeLog(labels, longest))) / (6 + 4 / 3);
  if (bytes < 1) throw new SsblogError('usage', 'source, destination and job are too long together');
  return Math.floor(Math.min(bytes, MAX_RECORD_BYTES));
}
