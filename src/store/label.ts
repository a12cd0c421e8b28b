/** What the records of a message say about it: the labels by which readers find it without unpacking it. Pure. */

import { type BlockSummary, openBlock, ownSummary } from '../message/block.ts';
import type { LogBlockContent } from '../message/content.ts';
import { levelRank } from '../message/level.ts';
import type { LogRecord } from '../message/record.ts';
import type { Range } from './coverage.ts';
import { afterRecord, NONE_OPEN, type OpenStreams } from './line-state.ts';

/** A stretch of a message's records that is new to the log. */
export interface Label {
  /** The first record's number; null: the message has none. */
  readonly line: number | null;
  /** How many records. */
  readonly lines: number;
  /** The earliest and the latest record's time: whole milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  /** The worst level's rank; null when no record has a level. */
  readonly level: number | null;
  /** The state before the first record. */
  readonly open: OpenStreams;
}

export interface Labelled {
  readonly labels: readonly Label[];
  /** Lines that end in these records: pieces of a longer line do not count. */
  readonly ended: number;
  /** The state after the message's last record. */
  readonly open: OpenStreams;
}

/** @param open the state before the record */
export function labelRecord(record: LogRecord, line: number | null, open: OpenStreams): Labelled {
  const { at, level } = record;
  const label = { line, lines: 1, first: at, last: at, level: level === undefined ? null : levelRank(level), open };
  return { labels: [label], ended: record.more ? 0 : 1, open: afterRecord(open, record) };
}

/**
 * @param data the content's as bytes, where they are known already
 * @param isOwn `encodeBlock` of this machine made the content
 * @param fresh the record numbers that are new, ascending
 * @param openBefore the state before the record of a number
 * @throws SsblogError when the block cannot be decoded
 */
export function labelBlock(
  { content, data, isOwn }: { content: LogBlockContent; data?: Uint8Array | null; isOwn: boolean },
  fresh: readonly Range[],
  openBefore: (line: number) => OpenStreams,
): Labelled {
  const isPlain = isWhole(content, fresh) && openBefore(content.line) === NONE_OPEN;
  const own = isPlain && isOwn ? ownSummary(content) : undefined;
  if (own !== undefined) return labelWhole(content, own);
  const { records, summary } = openBlock(content, data ?? undefined);
  return isPlain && summary !== undefined ? labelWhole(content, summary) : labelRecords(records, fresh, openBefore);
}

function labelWhole({ line, lines, at }: LogBlockContent, { last, worst }: BlockSummary): Labelled {
  const level = worst === undefined ? null : levelRank(worst);
  return { labels: [{ line, lines, first: at[0], last, level, open: NONE_OPEN }], ended: lines, open: NONE_OPEN };
}

function isWhole({ line, lines }: LogBlockContent, fresh: readonly Range[]): boolean {
  return fresh.length === 1 && fresh[0]?.[0] === line && fresh[0][1] === line + lines - 1;
}

function labelRecords(
  records: Iterable<LogRecord>,
  fresh: readonly Range[],
  openBefore: (line: number) => OpenStreams,
): Labelled {
  const labels: Label[] = [];
  let ended = 0;
  let open = NONE_OPEN;
  let index = 0;
  let current: { -readonly [K in keyof Label]: Label[K] } | undefined;
  for (const record of records) {
    const range = fresh[index];
    if (range === undefined) break;
    if (record.line < range[0]) continue;
    if (record.line === range[0]) {
      open = openBefore(record.line);
      current = { line: record.line, lines: 0, first: record.at, last: record.at, level: null, open };
      labels.push(current);
    }
    if (current === undefined) continue;
    current.lines += 1;
    current.first = Math.min(current.first, record.at);
    current.last = Math.max(current.last, record.at);
    if (record.level !== undefined)
      current.level = Math.min(current.level ?? Number.MAX_VALUE, levelRank(record.level));
    if (!record.more) ended += 1;
    open = afterRecord(open, record);
    if (record.line === range[1]) index += 1;
  }
  return { labels, ended, open };
}
