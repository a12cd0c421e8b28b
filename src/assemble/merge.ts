/**
 * Rows of labels, in the order of their times, to their records in the order of the log. A row is unpacked when its
 * first record may be next, so few are open at once, however long the log is.
 */
import type { LabelRow, Store } from '../store/store.ts';
import { Cursor, comparePositions } from './cursor.ts';
import { Heap } from './heap.ts';
import type { Lookup } from './lookup.ts';
import { UnreadableRow } from './unpack.ts';

/** What open rows may take; beyond it they are closed, and unpacked again when it is their turn. */
const MAX_OPEN_BYTES = 32 * 1024 * 1024;

export interface MergeOptions {
  readonly store: Store;
  readonly lookup: Lookup;
  /** Newest first; the rows must then come by their last time, descending. */
  readonly reverse: boolean;
  /** Told of a row that cannot be unpacked; it is left out. */
  readonly onUnreadable: () => void;
}

/**
 * Yields a cursor at each record in turn; it is at that record until the next step.
 * Yields undefined now and then where there is nothing to show, so that the caller can do something else meanwhile.
 */
export function* mergeRows(rows: Iterator<LabelRow>, options: MergeOptions): Generator<Cursor | undefined, undefined> {
  const { store, lookup, reverse } = options;
  const isBefore = reverse
    ? (a: Cursor, b: Cursor) => comparePositions(a, b) > 0
    : (a: Cursor, b: Cursor) => comparePositions(a, b) < 0;
  const open = openerFor(options);
  const heap = new Heap<Cursor>(isBefore);
  let next = nextOf(rows);
  /** No record of a row that is still to come is before this time. */
  const nextTime = () => (next === undefined ? undefined : reverse ? next.last : next.first);

  for (;;) {
    while (next !== undefined && mayPrecede(nextTime(), heap.peek(), reverse)) {
      heap.push(new Cursor(next, lookup.labels(next), reverse));
      next = nextOf(rows);
    }
    const cursor = heap.pop();
    if (cursor === undefined) return;
    if (!cursor.isOpen && !open(cursor, heap)) {
      yield undefined;
      continue;
    }
    const other = heap.peek();
    const limit = nextTime();
    let hasRecord = true;
    while (hasRecord && !mayPrecede(limit, cursor, reverse) && (other === undefined || !isBefore(other, cursor))) {
      yield cursor;
      hasRecord = readable(() => cursor.advance(store), options.onUnreadable);
    }
    if (hasRecord) heap.push(cursor);
  }
}

function nextOf(rows: Iterator<LabelRow>): LabelRow | undefined {
  const { done, value } = rows.next();
  return done === true ? undefined : value;
}

/** Whether a record of this time may come before the cursor's, or at least not surely after it. */
function mayPrecede(time: number | undefined, cursor: Cursor | undefined, reverse: boolean): boolean {
  if (time === undefined) return false;
  if (cursor === undefined) return true;
  return reverse ? time >= cursor.at : time <= cursor.at;
}

/** Opens a cursor; when that takes too much memory, closes all others. */
function openerFor({ store, onUnreadable }: MergeOptions): (cursor: Cursor, others: Iterable<Cursor>) => boolean {
  /** At most so many bytes are open: cursors that have ended still count, until all are looked at. */
  let openBytes = 0;
  return (cursor, others) => {
    if (!readable(() => cursor.open(store), onUnreadable)) return false;
    openBytes += cursor.bytes;
    if (openBytes <= MAX_OPEN_BYTES) return true;
    openBytes = 0;
    for (const { bytes } of others) openBytes += bytes;
    if (openBytes > MAX_OPEN_BYTES) {
      for (const other of others) other.park();
      openBytes = 0;
    }
    openBytes += cursor.bytes;
    return true;
  };
}

function readable(step: () => boolean, onUnreadable: () => void): boolean {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof UnreadableRow)) throw error;
    onUnreadable();
    return false;
  }
}
