/**
 * Some of a row's records, unpacked: as many as there is memory for. Anybody may sign any number of small messages
 * that unpack to a megabyte each and overlap in time; such a row is unpacked again for each part of it.
 */
import type { LogRecord } from '../message/record.ts';
import { RecordList } from '../message/record-list.ts';
import type { LabelRow, Store } from '../store/store.ts';
import { LongLine } from './long-line.ts';
import { startOfLines, unpackRow, visitRecords } from './unpack.ts';

/** About what a record takes beside its bytes, as an object. */
const RECORD_OVERHEAD_BYTES = 200;

/** Records are counted without those that go on an earlier one's line: these are part of that line. */
export interface Window {
  /** The first record's index in the row. */
  readonly start: number;
  readonly records: WindowRecords;
  /** The lines that some of the records begin, by the record's index in the row. */
  readonly longLines: ReadonlyMap<number, LongLine>;
  /** There are no records after these. */
  readonly isLast: boolean;
  /** About the memory it takes. */
  readonly bytes: number;
}

const NO_LONG_LINES: Window['longLines'] = new Map();

/** By their index in the window. */
interface WindowRecords {
  readonly length: number;
  /** The record's time and number. */
  at(index: number): number;
  line(index: number): number;
  /** Where the records end that are of the same time as this one. */
  endOfTime(index: number): number;
  /** A list that has the record, and its index there. */
  listOf(index: number): RecordList;
  inList(index: number): number;
  /** Where the records end in the window that follow this one in that list. */
  endOfList(index: number): number;
  /** Gives their memory back; there are none any more. */
  free(): void;
}

interface Wanted {
  readonly start: number;
  readonly end: number;
  /** For so many bytes of memory, but at least one record. */
  readonly maxBytes: number;
  /** Which records are wanted when there are too many. */
  readonly keeps: 'first' | 'last';
}

/** The records from `start` on. */
export function windowFrom(store: Store, row: LabelRow, start: number, maxBytes: number): Window {
  return unpack(store, row, { start, end: Number.POSITIVE_INFINITY, maxBytes, keeps: 'first' });
}

/** The records before `end`, which may be Infinity for the last ones. */
export function windowBefore(store: Store, row: LabelRow, end: number, maxBytes: number): Window {
  return unpack(store, row, { start: 0, end, maxBytes, keeps: 'last' });
}

function unpack(store: Store, row: LabelRow, wanted: Wanted): Window {
  const records = unpackRow(store, row);
  if (records instanceof RecordList && records.memory <= wanted.maxBytes) {
    const start = startOfLines(row, records);
    if (start !== undefined) return listWindow(records, start, row.lines);
  }
  return partWindow(row, records, wanted);
}

/** So many records of a list, each of which is a line of its own. */
function listWindow(list: RecordList, from: number, length: number): Window {
  return {
    start: 0,
    records: new Listed(list, from, length),
    longLines: NO_LONG_LINES,
    isLast: true,
    bytes: list.memory,
  };
}

function partWindow(row: LabelRow, all: Iterable<LogRecord>, { start, end, maxBytes, keeps }: Wanted): Window {
  const records: LogRecord[] = [];
  const longLines = new Map<number, LongLine>();
  let growing: LongLine[] = [];
  let index = 0;
  let bytes = 0;
  let isLast = true;
  visitRecords(row, all, (record, isContinuation) => {
    for (const line of growing) line.add(record, isContinuation);
    if (growing.length > 0) growing = growing.filter((line) => !line.hasEnded);
    if (isContinuation) return true;
    const isFull = keeps === 'first' && records.length > 0 && bytes + sizeOf(record) > maxBytes;
    if (index >= end || isFull) isLast = false;
    if (!isLast) return growing.length > 0;
    if (index >= start) {
      records.push(record);
      bytes += sizeOf(record);
      if (record.more && row.run !== null && row.line !== null) {
        const line = new LongLine(row, record);
        longLines.set(index, line);
        growing.push(line);
      }
    }
    index += 1;
    return true;
  });
  let dropped = 0;
  for (; bytes > maxBytes && dropped < records.length - 1; dropped += 1) {
    bytes -= sizeOf(records[dropped] as LogRecord);
    longLines.delete(start + dropped);
  }
  const isWhole = start === 0 && dropped === 0 && isLast;
  return {
    start: start + dropped,
    // A part must not keep the whole of what the message unpacked to.
    records: new Alone(isWhole ? records : records.slice(dropped).map(copyOf)),
    longLines,
    isLast,
    bytes: isWhole ? records.length * RECORD_OVERHEAD_BYTES + (records[0]?.bytes.buffer.byteLength ?? 0) : bytes,
  };
}

/** So many records of a list, from one on. */
class Listed implements WindowRecords {
  readonly length: number;
  readonly #list: RecordList;
  readonly #from: number;

  constructor(list: RecordList, from: number, length: number) {
    this.#list = list;
    this.#from = from;
    this.length = length;
  }

  at(index: number): number {
    return this.#list.at(this.#from + index);
  }

  line(index: number): number {
    return this.#list.line + this.#from + index;
  }

  endOfTime(index: number): number {
    return Math.min(this.#list.endOfTime(this.#from + index) - this.#from, this.length);
  }

  listOf(): RecordList {
    return this.#list;
  }

  inList(index: number): number {
    return this.#from + index;
  }

  endOfList(): number {
    return this.length;
  }

  free(): void {
    this.#list.free();
  }
}

/** Records that do not lie side by side: each has a list of its own. */
class Alone implements WindowRecords {
  readonly #records: readonly LogRecord[];

  constructor(records: readonly LogRecord[]) {
    this.#records = records;
  }

  get length(): number {
    return this.#records.length;
  }

  at(index: number): number {
    return this.#record(index).at;
  }

  line(index: number): number {
    return this.#record(index).line;
  }

  endOfTime(index: number): number {
    return index + 1;
  }

  listOf(index: number): RecordList {
    return RecordList.alone(this.#record(index));
  }

  inList(): number {
    return 0;
  }

  endOfList(index: number): number {
    return index + 1;
  }

  /** They are objects, left to V8 with what they hold. */
  free(): void {}

  #record(index: number): LogRecord {
    return this.#records[index] as LogRecord;
  }
}

function sizeOf({ bytes }: LogRecord): number {
  return RECORD_OVERHEAD_BYTES + bytes.length;
}

function copyOf(record: LogRecord): LogRecord {
  return { ...record, bytes: Buffer.from(record.bytes) };
}
