/** What is known of a file that was written: enough to go on at its end, or at a place within it. */
import type { BigIntStats } from 'node:fs';
import * as z from 'zod';
import type { Store } from '../store/store.ts';
import { comparePositions, type Position, positionOf } from './cursor.ts';
import type { LogLines, UnfinishedLine } from './lines.ts';

/** So many places within a file are remembered at most, and at least half as many once it is that large. */
const MAX_MARKS = 64;
/** Places are at least so far from each other: it takes less time to write that much anew than to flush it. */
const MARK_BYTES = 1024 * 1024;
/** Of a log with more lines whose end is missing nothing is remembered: it is written whole each time. */
export const MAX_UNFINISHED = 1000;

const count = z.int().nonnegative();

/** Lines that may go on, shown as they are or not: once they have gone on, the filter may say something else of them. */
export const unfinishedSchema = z.array(z.object({ at: z.number(), run: z.number(), next: z.number() }));

export const writtenSchema = z.object({
  /** As the file system has it: when any of these differs, the file is another one. */
  bytes: count,
  inode: z.string(),
  modifiedNs: z.string(),

  lines: count,
  /** The last line's place; null: there are no lines. */
  last: z
    .object({ at: z.number(), feed: z.string(), run: z.string(), line: z.number(), sequence: z.number() })
    .nullable(),
  /** Lines before this time are in the bytes before this place, all others after it. */
  marks: z.array(z.object({ at: z.number(), bytes: count, lines: count })),
  unfinished: unfinishedSchema,
});
export type Written = z.infer<typeof writtenSchema>;
export type Mark = Written['marks'][number];

/** The file's beginning. */
export const BEGINNING: Mark = { at: Number.NEGATIVE_INFINITY, bytes: 0, lines: 0 };

export function isAsWritten(written: Written, { ino, size, mtimeNs }: BigIntStats): boolean {
  return String(ino) === written.inode && Number(size) === written.bytes && String(mtimeNs) === written.modifiedNs;
}

/** A file that is as it was, up to a row of the store. */
export interface Known {
  readonly written: Written;
  readonly row: number;
}

/** What has to be written again: nothing, what comes after the end, or everything from a place on. */
export type Change = 'none' | 'end' | Mark;

/**
 * @param first where the first line stands that came after the known row
 */
export function changeOf({ written }: Known, first: Position | undefined, grownAt: number | undefined): Change {
  if (first === undefined && grownAt === undefined) return 'none';
  if (grownAt === undefined && first !== undefined && isAfterAll(first, written)) return 'end';
  const at = Math.min(first?.at ?? Number.POSITIVE_INFINITY, grownAt ?? Number.POSITIVE_INFINITY);
  return written.marks.findLast((mark) => mark.at <= at) ?? BEGINNING;
}

function isAfterAll(position: Position, { last, lines }: Written): boolean {
  return last === null ? lines === 0 : comparePositions(position, last) > 0;
}

/** When the earliest line began that goes on in rows that came since; undefined when none does. */
export function grownSince({ written, row }: Known, store: Store, upToRow: number): number | undefined {
  const grown = written.unfinished.filter((line) => isGrown(line, store, { afterRow: row, upToRow }));
  return grown.length === 0 ? undefined : Math.min(...grown.map(({ at }) => at));
}

/** Whether a line goes on in one of these rows. */
export function isGrown(
  { run, next }: UnfinishedLine,
  store: Store,
  { afterRow, upToRow }: { afterRow: number; upToRow: number },
): boolean {
  const more = store.continuation(run, next)?.id ?? 0;
  return more > afterRow && more <= upToRow;
}

/** The same file, with more lines that are not in it as they are. */
export function withUnfinished(written: Written, lines: readonly UnfinishedLine[]): Written {
  if (lines.length === 0) return written;
  const unfinished = [...written.unfinished, ...lines].slice(0, MAX_UNFINISHED + 1);
  return { ...written, inode: unfinished.length > MAX_UNFINISHED ? '' : written.inode, unfinished };
}

/** Keeps account of a file while it is written. */
export class Tally {
  bytes: number;
  lines: number;
  #last: Position | null;
  #marks: Mark[];
  readonly #unfinished: UnfinishedLine[];
  #spacing = MARK_BYTES;

  /** @param from where writing goes on: a place within the known file, or its end; without one, an empty file */
  constructor(known?: Written, from: Mark | 'end' = BEGINNING) {
    const end = from === 'end' && known !== undefined ? { ...known, at: Number.POSITIVE_INFINITY } : undefined;
    const place = end ?? (from as Mark);
    this.bytes = place.bytes;
    this.lines = place.lines;
    // Of lines before a mark it matters only that they come before it.
    this.#last = end?.last ?? null;
    this.#marks = known?.marks.filter(({ bytes }) => bytes <= place.bytes) ?? [];
    this.#unfinished = known?.unfinished.filter(({ at }) => at < place.at) ?? [];
    const [first, second] = this.#marks;
    if (first !== undefined && second !== undefined) this.#spacing = Math.max(MARK_BYTES, second.bytes - first.bytes);
  }

  /** @param batch lines in their order @param bytes how many they took */
  add(batch: LogLines, bytes: number): void {
    const { first, last } = batch;
    if (first === undefined || last === undefined) return;
    const lastMark = this.#marks.at(-1)?.bytes ?? 0;
    if (this.bytes - lastMark >= this.#spacing && (this.#last === null || first.at > this.#last.at))
      this.#mark({ at: first.at, bytes: this.bytes, lines: this.lines });
    this.bytes += bytes;
    this.lines += batch.length;
    this.#last = positionOf(last);
  }

  addUnfinished(line: UnfinishedLine): void {
    if (this.#unfinished.length <= MAX_UNFINISHED) this.#unfinished.push(line);
  }

  /** @param stats of the file, after its last byte was written */
  written({ ino, mtimeNs }: BigIntStats): Written {
    return {
      bytes: this.bytes,
      inode: this.#unfinished.length > MAX_UNFINISHED ? '' : String(ino),
      modifiedNs: String(mtimeNs),
      lines: this.lines,
      last: this.#last,
      marks: this.#marks,
      unfinished: this.#unfinished,
    };
  }

  #mark(mark: Mark): void {
    this.#marks.push(mark);
    if (this.#marks.length < MAX_MARKS) return;
    this.#marks = this.#marks.filter((_, index) => index % 2 === 1);
    this.#spacing *= 2;
  }
}
