/**
 * Some of a row's records, unpacked. A message of 8 kB can hold a million empty lines, so a long row is unpacked
 * again for each part of it.
 */
import type { LogRecord } from '../message/record.ts';
import type { LabelRow, Store } from '../store/store.ts';
import { LongLine } from './long-line.ts';
import { visitRecords } from './unpack.ts';

/** Records that are unpacked at once; an ordinary block has fewer. */
const WINDOW_RECORDS = 16_384;
/** About what a record takes beside its bytes. */
const RECORD_OVERHEAD_BYTES = 200;

/** Records are counted without those that go on an earlier one's line: these are part of that line. */
export interface Window {
  /** The first record's index in the row. */
  readonly start: number;
  readonly records: readonly LogRecord[];
  /** The lines that some of the records begin. */
  readonly longLines: ReadonlyMap<LogRecord, LongLine>;
  /** There are no records after these. */
  readonly isLast: boolean;
  /** About the memory it takes. */
  readonly bytes: number;
}

/** The records from `start` on. */
export function windowFrom(store: Store, row: LabelRow, start: number): Window {
  return unpack(store, row, { start, end: start + WINDOW_RECORDS });
}

/** The records before `end`, which may be Infinity for the last ones. */
export function windowBefore(store: Store, row: LabelRow, end: number): Window {
  if (Number.isFinite(end)) return unpack(store, row, { start: Math.max(0, end - WINDOW_RECORDS), end });
  return unpack(store, row, { start: 0, end });
}

function unpack(store: Store, row: LabelRow, { start, end }: { start: number; end: number }): Window {
  let records: LogRecord[] = [];
  const longLines = new Map<LogRecord, LongLine>();
  let growing: LongLine[] = [];
  let index = 0;
  let isLast = true;
  visitRecords(store, row, (record, isContinuation) => {
    for (const line of growing) line.add(record, isContinuation);
    if (growing.length > 0) growing = growing.filter((line) => !line.hasEnded);
    if (isContinuation) return true;
    if (index >= end) {
      isLast = false;
      return growing.length > 0;
    }
    if (index >= start) {
      records.push(record);
      if (record.more && row.run !== null && row.line !== null) {
        const line = new LongLine(row, record);
        longLines.set(record, line);
        growing.push(line);
      }
    }
    index += 1;
    if (end === Number.POSITIVE_INFINITY && records.length >= 2 * WINDOW_RECORDS) {
      for (const dropped of records.slice(0, WINDOW_RECORDS)) longLines.delete(dropped);
      records = records.slice(WINDOW_RECORDS);
    }
    return true;
  });
  const bytes = records.length * RECORD_OVERHEAD_BYTES + (records[0]?.bytes.buffer.byteLength ?? 0);
  return { start: index - records.length, records, longLines, isLast, bytes };
}
