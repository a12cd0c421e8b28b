/**
 * Records of one run that follow each other, in columns and as a block's payload has them: an object for each would
 * cost more than all else that is done with a line. Knows no labels and no compression.
 */
import { freeMemory } from '../free-memory.ts';
import { LEVELS, type Level, levelRank } from './level.ts';
import type { LogRecord, StreamName } from './record.ts';

const LF = 0x0a;
/** In the columns: no level, no stream. */
const NONE = 0x2d;
const ZERO = 0x30;
const STDOUT = 0x6f;
const STDERR = 0x65;

/** Lines of one run, in one piece of memory. */
export interface Stretch {
  /** The lines, with one LF between each two of them; none of them holds one. */
  readonly bytes: Buffer;
  /** Where in `bytes` each of the lines ends. */
  readonly ends: readonly number[];
  /** What holds for all of them, as in LogRecord: whole milliseconds, which never go back; the stream. */
  readonly at: number;
  readonly stream: StreamName | undefined;
  /** There is one line, and it goes on in the next record. */
  readonly more: boolean;
}

/** The code of `0` (emerg) to `7` (debug) as in syslog, of `-` for none. */
export function levelSymbol(level: Level | undefined): number {
  return level === undefined ? NONE : ZERO + levelRank(level);
}

/** @returns undefined also for what is no symbol */
export function levelOfSymbol(symbol: number | undefined): Level | undefined {
  return LEVELS[(symbol ?? NONE) - ZERO];
}

/** The code of `o` for stdout, `e` for stderr, `-` for neither. */
function streamSymbol(stream: StreamName | undefined): number {
  if (stream === undefined) return NONE;
  return stream === 'stdout' ? STDOUT : STDERR;
}

export function streamOfSymbol(symbol: number | undefined): StreamName | undefined {
  if (symbol === STDOUT) return 'stdout';
  return symbol === STDERR ? 'stderr' : undefined;
}

/** What a list is made of. */
export interface Columns {
  /** The first record's number. */
  readonly line: number;
  /** Every record with an LF behind it. */
  readonly body: Buffer;
  /** Where in the body each record's LF ends. */
  readonly ends: Uint32Array | readonly number[];
  /** `levelSymbol` of each record, and likewise the streams. */
  readonly levels: Buffer;
  readonly streams: Buffer;
  /** Times, ascending, and the index of the first record of each. */
  readonly times: readonly number[];
  readonly timeStarts: readonly number[];
  /** Ascending indices of the records whose line goes on in the next one. */
  readonly more: readonly number[];
}

const EMPTY = Buffer.alloc(0);
const FIRST: readonly number[] = [0];
const NO_RECORDS: readonly number[] = [];

/** Lists of one are many, and have few columns between them. */
const COLUMNS_OF_ONE = new Map<number, Buffer>();

function columnOfOne(symbol: number): Buffer {
  let column = COLUMNS_OF_ONE.get(symbol);
  if (column === undefined) {
    column = Buffer.of(symbol);
    COLUMNS_OF_ONE.set(symbol, column);
  }
  return column;
}

export class RecordList implements Iterable<LogRecord> {
  #line = 0;
  #length = 0;
  #body: Buffer = EMPTY;
  #ends: Uint32Array | number[] = new Uint32Array(0);
  #levels: Buffer = EMPTY;
  #streams: Buffer = EMPTY;
  #times: number[] = [];
  #timeStarts: number[] = [];
  #more: number[] = [];
  #payload: Buffer = EMPTY;

  /** @throws Error when one of them holds a newline */
  static of(records: Iterable<LogRecord>): RecordList {
    const list = new RecordList();
    for (const record of records) list.add(record);
    return list;
  }

  /** A list to be read: nothing may be added or dropped. */
  static from(columns: Columns): RecordList {
    const list = new RecordList();
    list.#line = columns.line;
    list.#length = columns.ends.length;
    list.#body = columns.body;
    list.#ends = columns.ends as Uint32Array | number[];
    list.#levels = columns.levels;
    list.#streams = columns.streams;
    list.#times = columns.times as number[];
    list.#timeStarts = columns.timeStarts as number[];
    list.#more = columns.more as number[];
    return list;
  }

  /** A list of one, which may hold newlines; it is not for a block. */
  static alone({ line, at, bytes, level, stream, more }: LogRecord): RecordList {
    return RecordList.from({
      line,
      body: bytes,
      ends: [bytes.length + 1],
      levels: columnOfOne(levelSymbol(level)),
      streams: columnOfOne(streamSymbol(stream)),
      times: [at],
      timeStarts: FIRST,
      more: more ? FIRST : NO_RECORDS,
    });
  }

  get length(): number {
    return this.#length;
  }

  /** About the memory that it takes: of a body that is part of something larger, all of that. */
  get memory(): number {
    const columns = this.#ends.length * 6 + this.#times.length * 16 + this.#more.length * 8;
    return this.#body.buffer.byteLength + columns;
  }

  /** The first record's number. */
  get line(): number {
    return this.#line;
  }

  *[Symbol.iterator](): Generator<LogRecord, undefined> {
    for (let index = 0; index < this.#length; index += 1) yield this.record(index);
  }

  /** Bytes of the first `count` records, with an LF for each. */
  bytes(count = this.#length): number {
    return count === 0 ? 0 : (this.#ends[count - 1] as number);
  }

  /** @throws Error when it holds a newline */
  add({ line, bytes, at, level, stream, more }: LogRecord): void {
    if (bytes.includes(LF)) throw new Error('a record holds a newline');
    this.addLines(
      { bytes, ends: [bytes.length], at, stream, more },
      { line, from: 0, to: 1, levels: [levelSymbol(level)] },
    );
  }

  /**
   * Adds the lines `from` to `to` (without it) of a stretch.
   * @param line the number of the first of them as a record
   * @param levels `levelSymbol` of each line of the stretch
   */
  addLines(
    { bytes, ends, at, stream, more }: Stretch,
    { line, from, to, levels }: { line: number; from: number; to: number; levels: ArrayLike<number> },
  ): void {
    if (to <= from) return;
    const first = this.#length;
    const start = from === 0 ? 0 : (ends[from - 1] as number) + 1;
    const end = ends[to - 1] as number;
    const bodyStart = this.bytes();
    this.#makeRoom(to - from, end - start + 1);
    this.#body.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), bodyStart);
    this.#body[bodyStart + end - start] = LF;
    const shift = bodyStart - start + 1;
    for (let index = from; index < to; index += 1) {
      const here = first + index - from;
      this.#ends[here] = (ends[index] as number) + shift;
      this.#levels[here] = levels[index] as number;
    }
    this.#streams.fill(streamSymbol(stream), first, first + to - from);
    if (this.#times.at(-1) !== at) {
      this.#times.push(at);
      this.#timeStarts.push(first);
    }
    if (first === 0) this.#line = line;
    this.#length += to - from;
    if (more) this.#more.push(this.#length - 1);
  }

  /** Ends the list, whose body is its own: there are no records any more. */
  free(): void {
    freeMemory(this.#body);
    this.#body = EMPTY;
    this.#length = 0;
  }

  /** Takes the first `count` records out. */
  drop(count: number): void {
    const bytes = this.bytes(count);
    const left = this.#length - count;
    this.#body.copyWithin(0, bytes, this.bytes());
    for (let index = 0; index < left; index += 1) this.#ends[index] = (this.#ends[count + index] as number) - bytes;
    this.#levels.copyWithin(0, count, this.#length);
    this.#streams.copyWithin(0, count, this.#length);
    const time = left === 0 ? this.#times.length : lastAtMost(this.#timeStarts, count);
    this.#times = this.#times.slice(time);
    this.#timeStarts = this.#timeStarts.slice(time).map((start) => Math.max(0, start - count));
    this.#more = this.#more.filter((index) => index >= count).map((index) => index - count);
    this.#line += count;
    this.#length = left;
  }

  /** How many of the first records take at most so many bytes. */
  countWithin(maxBytes: number): number {
    let count = 0;
    while (count < this.#length && (this.#ends[count] as number) <= maxBytes) count += 1;
    return count;
  }

  /** Its bytes are those of the list, and hold until something is dropped. */
  record(index: number): LogRecord {
    this.#mustHave(index);
    return {
      line: this.#line + index,
      at: this.at(index),
      bytes: this.text(index),
      level: this.level(index),
      stream: this.stream(index),
      more: this.goesOn(index),
    };
  }

  level(index: number): Level | undefined {
    return levelOfSymbol(this.#levels[index]);
  }

  stream(index: number): StreamName | undefined {
    return streamOfSymbol(this.#streams[index]);
  }

  /** Whether a record's line, among these from the one to before the other, goes on in the next record. */
  goesOnWithin(from: number, to: number): boolean {
    return lastAtMost(this.#more, to - 1) > lastAtMost(this.#more, from - 1);
  }

  /** Whether the record's line goes on in the next one. */
  goesOn(index: number): boolean {
    return this.#more[lastAtMost(this.#more, index)] === index;
  }

  /** A record's bytes, without its LF. They are those of the list, and hold until something is dropped. */
  text(index: number): Buffer {
    this.#mustHave(index);
    return this.#body.subarray(this.bytes(index), this.bytes(index + 1) - 1);
  }

  /** A record's time. */
  at(index: number): number {
    this.#mustHave(index);
    return this.#times[lastAtMost(this.#timeStarts, index)] as number;
  }

  /** Where the records end that are of the same time as this one. */
  endOfTime(index: number): number {
    this.#mustHave(index);
    return this.#timeStarts[lastAtMost(this.#timeStarts, index) + 1] ?? this.#length;
  }

  /**
   * Writes the records `from` to `to` (without it), each with something before it and its LF behind it.
   * @returns where in `target` they end
   */
  write(target: Buffer, start: number, { from, to, prefix }: { from: number; to: number; prefix: Buffer }): number {
    this.#mustHave(to - 1);
    const bodyStart = this.bytes(from);
    const bytes = this.bytes(to) - bodyStart;
    const end = start + (to - from) * prefix.length + bytes;
    // All of them where the last one ends; then each moves to its place, for a view of each would cost more.
    const shift = end - bytes - bodyStart;
    target.set(this.#body.subarray(bodyStart, bodyStart + bytes), end - bytes);
    let at = start;
    let recordStart = bodyStart;
    for (let index = from; index < to; index += 1) {
      const recordEnd = this.#ends[index] as number;
      for (let place = 0; place < prefix.length; place += 1) target[at++] = prefix[place] as number;
      target.copyWithin(at, recordStart + shift, recordEnd + shift);
      at += recordEnd - recordStart;
      target[at - 1] = LF;
      recordStart = recordEnd;
    }
    return end;
  }

  /** `levelSymbol` of each of the first `count` records, as a string. */
  levels(count: number): string {
    return this.#levels.toString('latin1', 0, count);
  }

  /** `o`, `e` or `-` for each of the first `count` records. */
  streams(count: number): string {
    return this.#streams.toString('latin1', 0, count);
  }

  /** Ascending, each with how many of the first `count` records have it. */
  times(count: number): { readonly at: number; readonly records: number }[] {
    const times: { at: number; records: number }[] = [];
    for (let index = 0; index < count; index = this.endOfTime(index))
      times.push({ at: this.at(index), records: Math.min(this.endOfTime(index), count) - index });
    return times;
  }

  /** Ascending indices of those of the first `count` records whose line goes on in the next one. */
  more(count: number): number[] {
    return this.#more.filter((index) => index < count);
  }

  /** A line of text, and below it the first `count` records as lines. Holds until the next call. */
  payload(header: string, count: number): Buffer {
    const bytes = header.length + 1 + this.bytes(count);
    if (this.#payload.length < bytes) this.#payload = Buffer.allocUnsafe(2 * bytes);
    const start = this.#payload.write(header, 'latin1');
    this.#payload[start] = LF;
    this.#payload.set(this.#body.subarray(0, this.bytes(count)), start + 1);
    return this.#payload.subarray(0, bytes);
  }

  /** Pieces of the records from all over them, one after the other; all of them where they are not more. */
  sample(pieces: number, pieceBytes: number): Buffer {
    const bytes = this.bytes();
    if (bytes <= pieces * pieceBytes) return this.#body.subarray(0, bytes);
    const step = bytes / pieces;
    const starts = Array.from({ length: pieces }, (_, index) => Math.floor((index + 0.5) * step - pieceBytes / 2));
    return Buffer.concat(starts.map((start) => this.#body.subarray(start, start + pieceBytes)));
  }

  #mustHave(index: number): void {
    if (index >= this.#length) throw new Error(`there is no record ${index}`);
  }

  #makeRoom(records: number, bytes: number): void {
    const allRecords = this.#length + records;
    if (allRecords > this.#ends.length) {
      const ends = new Uint32Array(2 * allRecords);
      ends.set(this.#ends);
      this.#ends = ends;
      this.#levels = larger(this.#levels, 2 * allRecords);
      this.#streams = larger(this.#streams, 2 * allRecords);
    }
    const allBytes = this.bytes() + bytes;
    if (allBytes > this.#body.length) this.#body = larger(this.#body, 2 * allBytes);
  }
}

function larger(buffer: Buffer, bytes: number): Buffer {
  const copy = Buffer.allocUnsafe(bytes);
  copy.set(buffer);
  return copy;
}

/** @returns the index of the last value that is at most `value`; -1 when there is none */
function lastAtMost(ascending: readonly number[], value: number): number {
  let low = -1;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ascending[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
