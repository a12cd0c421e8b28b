/** A place in a row's records that moves through them in order. What it has unpacked can be let go at any time. */
import type { LabelRow, Store } from '../store/store.ts';
import type { LogLine } from './log-line.ts';
import type { LogStretch } from './log-lines.ts';
import type { LongLine } from './long-line.ts';
import type { LineLabels } from './lookup.ts';
import { type Window, windowBefore, windowFrom } from './window.ts';

/** The order of the combined log: by time, then feed, run, number. The message's number settles the rest. */
export interface Position {
  readonly at: number;
  readonly feed: string;
  /** '' for none. */
  readonly run: string;
  readonly line: number;
  readonly sequence: number;
}

/** Less than 0 when `a` comes first, more than 0 when `b` does. Texts are compared by their UTF-16 code units. */
export function comparePositions(a: Position, b: Position): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.feed !== b.feed) return a.feed < b.feed ? -1 : 1;
  if (a.run !== b.run) return a.run < b.run ? -1 : 1;
  return a.line - b.line || a.sequence - b.sequence;
}

/** Where a line stands. */
export function positionOf({ at, feed, run, line, sequence }: LogLine): Position {
  return { at, feed, run: run ?? '', line: line ?? sequence, sequence };
}

export class Cursor implements Position {
  readonly labels: LineLabels;
  readonly row: LabelRow;
  readonly feed: string;
  readonly run: string;
  readonly sequence: number;
  /** Of the record; before the first is unpacked, a bound of its time and number. */
  at: number;
  line: number;
  /** How many records, from this one on, are next in the log: see `makeReady`. */
  ready = 1;

  readonly #reverse: boolean;
  #window: Window | undefined;
  /** The record's index in the row; undefined: at the last of a row that is read backwards. */
  #index: number | undefined;
  #maxBytes = 0;

  constructor(row: LabelRow, labels: LineLabels, reverse: boolean) {
    this.row = row;
    this.labels = labels;
    this.feed = labels.feed;
    this.run = labels.run ?? '';
    this.sequence = row.sequence;
    this.#reverse = reverse;
    this.#index = reverse ? undefined : 0;
    this.at = reverse ? row.last : row.first;
    this.line = row.line === null ? row.sequence : reverse ? row.line + row.lines - 1 : row.line;
  }

  /** Whether `record` may be asked for. */
  get isOpen(): boolean {
    return this.#window !== undefined;
  }

  /** The record's line; and those of the `ready - 1` records behind it. */
  get stretch(): LogStretch {
    const { records } = this.#opened;
    const index = this.#inWindow;
    const from = records.inList(index);
    const { labels, sequence, row, ready } = this;
    return { labels, sequence, isNumbered: row.line !== null, records: records.listOf(index), from, to: from + ready };
  }

  /** The line that the record begins, when it is in several pieces. */
  get longLine(): LongLine | undefined {
    return this.#window?.longLines.get(this.#index ?? 0);
  }

  /** About the memory that its records take. */
  get bytes(): number {
    return this.#window?.bytes ?? 0;
  }

  /**
   * Unpacks the records around its place.
   * @param maxBytes what they may take, now and when it goes on; but at least one is unpacked
   * @returns whether there is a record
   * @throws Error of any kind when the message cannot be unpacked
   */
  open(store: Store, maxBytes: number): boolean {
    this.#maxBytes = maxBytes;
    if (this.#reverse) {
      const end = this.#index === undefined ? Number.POSITIVE_INFINITY : this.#index + 1;
      this.#window = windowBefore(store, this.row, end, maxBytes);
      this.#index ??= this.#window.start + this.#window.records.length - 1;
    } else {
      this.#window = windowFrom(store, this.row, this.#index ?? 0, maxBytes);
    }
    return this.#settle();
  }

  /**
   * Finds out how many records, from this one on, which is, are next in the log.
   * @param limit no row that was not begun has a record before this time
   * @param other the first of the records at which the begun ones are
   */
  makeReady(limit = Number.POSITIVE_INFINITY, other?: Position): void {
    this.ready = 1;
    if (this.#reverse) return;
    const { records } = this.#opened;
    const first = this.#inWindow;
    const last = records.endOfList(first);
    let end = records.endOfTime(first);
    if (this.at === other?.at) {
      // Of two runs all of one time come first; of one run the numbers decide: a record without has its message's.
      const isSameRun = this.feed === other.feed && this.run === other.run;
      this.ready = isSameRun ? Math.max(1, Math.min(end - first, other.line - this.line)) : end - first;
      return;
    }
    const until = Math.min(limit, other?.at ?? limit);
    while (end < last && records.at(end) < until) end = records.endOfTime(end);
    this.ready = end - first;
  }

  /** Goes on by `ready` records. @returns whether there is one */
  advance(store: Store): boolean {
    const window = this.#window;
    if (window === undefined) return this.open(store, this.#maxBytes);
    const index = (this.#index ?? 0) + (this.#reverse ? -1 : this.ready);
    this.#index = index;
    if (index >= window.start && index < window.start + window.records.length) return this.#settle();
    const isOver = this.#reverse ? index < 0 : window.isLast;
    return !isOver && this.open(store, this.#maxBytes);
  }

  /** Lets go of the records; they are unpacked again when they are wanted. */
  park(): void {
    this.#window = undefined;
  }

  /** Ends it. What was asked of it before holds no more. */
  free(): void {
    this.#window?.records.free();
    this.#window = undefined;
  }

  get #opened(): Window {
    if (this.#window === undefined) throw new Error('the cursor is not at a record');
    return this.#window;
  }

  get #inWindow(): number {
    return (this.#index ?? 0) - this.#opened.start;
  }

  #settle(): boolean {
    const { records } = this.#opened;
    const index = this.#inWindow;
    if (index < 0 || index >= records.length) return false;
    this.at = records.at(index);
    this.line = records.line(index);
    return true;
  }
}
