/** The lines that a filter lets through, in order, some at a time. */
import type { LabelRow, Store } from '../store/store.ts';
import type { Cursor } from './cursor.ts';
import { type LogFilter, lineTest } from './filters.ts';
import { countNewlines, type LogLine } from './log-line.ts';
import { LogLines, type LogStretch, lineAt, stretchOf } from './log-lines.ts';
import type { LineState, LongLine } from './long-line.ts';
import { Lookup, type NameOf } from './lookup.ts';
import { mergeRows } from './merge.ts';
import type { OpenLines } from './open-lines.ts';
import { planQuery } from './plan.ts';
import { UnreadableRow } from './unpack.ts';

/** Bounds of a batch: enough lines that a batch costs little, few enough that it takes little memory. */
const BATCH_LINES = 8192;
const BATCH_BYTES = 1024 * 1024;
/** The largest step towards these bounds. */
const PART_LINES = 256;
/** What the batch keeps of messages: a line keeps all that was unpacked with it. */
const BATCH_KEPT_BYTES = 8 * 1024 * 1024;
/** What each newline counts in a text of another tool, which has one line for each when it is shown. */
const NEWLINE_BYTES = 100;
/** So many records are looked at before a batch goes out as it is, for the caller may have something else to do. */
const PAUSE_RECORDS = BATCH_LINES;

/** A line that was shown as it was, without its last piece. */
export interface UnfinishedLine {
  /** When it began: milliseconds since the epoch. */
  readonly at: number;
  /** For `Store.continuation`: the run, and the number of the record that may go on the line. */
  readonly run: number;
  readonly next: number;
}

export interface BatchOptions {
  /** About how many lines a batch has at most; for who needs only the first ones. */
  readonly maxLines?: number | undefined;
  readonly nameOf: NameOf;
  readonly reverse: boolean;
  readonly afterRow?: number | undefined;
  readonly upToRow: number;
  /** Where lines wait whose last piece has not come; without it they are shown as they are. */
  readonly openLines?: OpenLines | undefined;
  readonly onUnfinished?: ((line: UnfinishedLine) => void) | undefined;
  /** A batch holds only until the next one is asked for. */
  readonly isTransient?: boolean | undefined;
  readonly onUnreadable: () => void;
}

/** Batches may be empty. A line's bytes are part of a whole message's. */
export function* lineBatches(store: Store, filter: LogFilter, options: BatchOptions): Generator<LogLines, undefined> {
  const { nameOf, reverse, afterRow, upToRow, openLines } = options;
  const passes = lineTest(filter);
  if (openLines !== undefined) yield LogLines.of(openLines.takeEnded(store, upToRow).filter(passes ?? (() => true)));

  const lookup = new Lookup(store, nameOf);
  const plan = planQuery(store, filter, lookup);
  if (plan === undefined) return;
  const rows = store.labels({ ...plan, order: reverse ? 'descending' : 'ascending', afterRow, upToRow });

  const maxLines = Math.min(options.maxLines ?? BATCH_LINES, BATCH_LINES);
  let batch = new Batch(maxLines);
  let looked = 0;
  const ended: Cursor[] = [];
  const onEnded = options.isTransient === true ? (cursor: Cursor) => ended.push(cursor) : undefined;
  function* giveBatch(): Generator<LogLines, undefined> {
    yield batch.lines;
    for (const cursor of ended.splice(0)) cursor.free();
    batch = new Batch(maxLines);
    looked = 0;
  }
  for (const cursor of mergeRows(rows, { store, lookup, reverse, onUnreadable: options.onUnreadable, onEnded })) {
    looked += cursor?.ready ?? 1;
    if (cursor !== undefined) {
      for (const part of partsAt(cursor, { store, options, passes, maxLines })) {
        batch.add(part, cursor);
        // Now, for a line without an end has any number of parts.
        if (batch.isFull) yield* giveBatch();
      }
    }
    if (looked >= PAUSE_RECORDS) yield* giveBatch();
  }
  yield* giveBatch();
}

interface PartOptions {
  readonly store: Store;
  readonly options: BatchOptions;
  readonly passes: ((line: LogLine) => boolean) | undefined;
  readonly maxLines: number;
}

/** What is to be shown of the records at which the cursor is. */
function* partsAt(cursor: Cursor, { store, options, passes, maxLines }: PartOptions): Generator<LogStretch, undefined> {
  const { stretch, longLine } = cursor;
  const partLines = Math.min(maxLines, PART_LINES);
  const all = longLine === undefined ? [stretch] : linesOf(cursor, longLine, { store, options });
  for (const some of all)
    for (const passed of passes === undefined ? [some] : passing(some, passes)) yield* partsOf(passed, partLines);
}

function partsOf(stretch: LogStretch, lines: number): LogStretch[] {
  const { from, to } = stretch;
  if (to - from <= lines) return [stretch];
  const parts: LogStretch[] = [];
  for (let start = from; start < to; start += lines)
    parts.push({ ...stretch, from: start, to: Math.min(start + lines, to) });
  return parts;
}

/** Neighbours that pass stay together. */
function passing(stretch: LogStretch, passes: (line: LogLine) => boolean): LogStretch[] {
  const stretches: LogStretch[] = [];
  let start = stretch.from;
  let index = start;
  for (const line of new LogLines([stretch])) {
    if (!passes(line)) {
      if (start < index) stretches.push({ ...stretch, from: start, to: index });
      start = index + 1;
    }
    index += 1;
  }
  if (start === stretch.from) return [stretch];
  if (start < index) stretches.push({ ...stretch, from: start, to: index });
  return stretches;
}

class Batch {
  readonly #maxLines: number;
  readonly #stretches: LogStretch[] = [];
  #lines = 0;
  #bytes = 0;
  #keptBytes = 0;
  readonly #rows = new Set<LabelRow>();
  #lastRow: LabelRow | undefined;

  constructor(maxLines: number) {
    this.#maxLines = maxLines;
  }

  add(stretch: LogStretch, { row, bytes }: Cursor): void {
    const { records, from, to } = stretch;
    this.#stretches.push(stretch);
    this.#lines += to - from;
    this.#bytes += records.bytes(to) - records.bytes(from);
    if (records.length === 1) this.#bytes += NEWLINE_BYTES * countNewlines(records.text(0));
    if (row === this.#lastRow) return;
    this.#lastRow = row;
    if (!this.#rows.has(row)) this.#keptBytes += bytes;
    this.#rows.add(row);
  }

  get lines(): LogLines {
    return new LogLines(this.#stretches);
  }

  get isFull(): boolean {
    return this.#lines >= this.#maxLines || this.#bytes >= BATCH_BYTES || this.#keptBytes >= BATCH_KEPT_BYTES;
  }
}

/** The line: all at once, unless it is so long that nobody could hold it. Or others, which waited for their ends. */
function* linesOf(
  cursor: Cursor,
  longLine: LongLine,
  { store, options }: { store: Store; options: BatchOptions },
): Generator<LogStretch, undefined> {
  const { stretch } = cursor;
  const begun = lineAt(stretch, stretch.from);
  for (;;) {
    const state = stateOf(longLine, store, options);
    if (state === 'unfinished' && options.openLines !== undefined) {
      yield* options.openLines.hold({ ...begun, bytes: Buffer.alloc(0) }, longLine).map(stretchOf);
      return;
    }
    yield stretchOf({ ...begun, bytes: longLine.take() });
    if (state === 'unfinished' && cursor.row.run !== null)
      options.onUnfinished?.({ at: cursor.at, run: cursor.row.run, next: longLine.nextNumber });
    if (state !== 'full') return;
  }
}

function stateOf(longLine: LongLine, store: Store, { upToRow, onUnreadable }: BatchOptions): LineState {
  try {
    return longLine.read(store, upToRow);
  } catch (error) {
    if (!(error instanceof UnreadableRow)) throw error;
    onUnreadable();
    return 'ended';
  }
}
