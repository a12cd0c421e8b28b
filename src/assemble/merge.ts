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
/**
 * Of rows whose times overlap each may have its share of this. If they had to close each other, a few dozen messages
 * that unpack to a megabyte, with times that take turns, would be unpacked anew for every single line.
 */
const SHARED_BYTES = MAX_OPEN_BYTES / 2;
/** Most of an ordinary block: rows that only span a long time must not make all others be read bit by bit. */
const MIN_SHARE_BYTES = 64 * 1024;

export interface MergeOptions {
  readonly store: Store;
  readonly lookup: Lookup;
  /** Newest first; the rows must then come by their last time, descending. */
  readonly reverse: boolean;
  /** Told of a row that cannot be unpacked; it is left out. */
  readonly onUnreadable: () => void;
  /** Told of a cursor that has passed its last record. */
  readonly onEnded?: ((cursor: Cursor) => void) | undefined;
}

/**
 * Yields a cursor at each record in turn, or at the first of several (`ready`); it is there until the next step.
 * Yields undefined now and then where there is nothing to show, so that the caller can do something else meanwhile.
 */
export function* mergeRows(rows: Iterator<LabelRow>, options: MergeOptions): Generator<Cursor | undefined, undefined> {
  const { lookup, reverse } = options;
  const isBefore = reverse
    ? (a: Cursor, b: Cursor) => comparePositions(a, b) > 0
    : (a: Cursor, b: Cursor) => comparePositions(a, b) < 0;
  const rowsOpen = new OpenRows(options);
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
    if (!cursor.isOpen && !rowsOpen.open(cursor, heap)) {
      yield undefined;
      continue;
    }
    const other = heap.peek();
    const limit = nextTime();
    let hasRecord = true;
    while (hasRecord && !mayPrecede(limit, cursor, reverse) && (other === undefined || !isBefore(other, cursor))) {
      cursor.makeReady(limit, other);
      yield cursor;
      hasRecord = rowsOpen.advance(cursor, heap);
    }
    if (hasRecord) heap.push(cursor);
    else options.onEnded?.(cursor);
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

/** Keeps account of what cursors hold; when that is too much, all but the one that moves are closed. */
class OpenRows {
  readonly #options: MergeOptions;
  /** At most so many bytes are open: cursors that have ended still count, until all are looked at. */
  #bytes = 0;

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  open(cursor: Cursor, others: Heap<Cursor>): boolean {
    const share = Math.max(SHARED_BYTES / (others.size + 1), MIN_SHARE_BYTES);
    return this.#move(cursor, others, () => cursor.open(this.#options.store, share));
  }

  advance(cursor: Cursor, others: Heap<Cursor>): boolean {
    return this.#move(cursor, others, () => cursor.advance(this.#options.store));
  }

  #move(cursor: Cursor, others: Iterable<Cursor>, move: () => boolean): boolean {
    const before = cursor.bytes;
    if (!readable(move, this.#options.onUnreadable)) return false;
    this.#bytes += cursor.bytes - before;
    if (this.#bytes <= MAX_OPEN_BYTES) return true;
    this.#bytes = 0;
    for (const { bytes } of others) this.#bytes += bytes;
    if (this.#bytes > MAX_OPEN_BYTES) {
      for (const other of others) other.park();
      this.#bytes = 0;
    }
    this.#bytes += cursor.bytes;
    return true;
  }
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
