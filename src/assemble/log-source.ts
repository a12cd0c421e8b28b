/** What a file is to hold: lines of the store, and their form. Says what has come to them since a row. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { META } from '../store/meta.ts';
import type { Store } from '../store/store.ts';
import { type Position, positionOf } from './cursor.ts';
import type { LogFilter } from './filters.ts';
import type { FormatOptions } from './format.ts';
import { type ReadOptions, readLines, type UnfinishedLine } from './lines.ts';

/** To be raised whenever the same lines are written in another way than before, or other lines. */
const FORM_VERSION = 2;

export interface SourceOptions {
  readonly format?: FormatOptions;
  readonly read?: Pick<ReadOptions, 'nameOf' | 'signal' | 'onUnreadable'>;
  /** Told after each batch how many lines are written. */
  readonly onProgress?: (lines: number) => void;
}

export interface LogSource {
  readonly store: Store;
  readonly filter: LogFilter;
  readonly format: FormatOptions;
  readonly read: ReadOptions & { readonly upToRow: number };
  /** Told after each batch how many lines the file has. */
  readonly onProgress?: ((lines: number) => void) | undefined;
}

/** All lines that the store has now. @param options.read without `upToRow` */
export function logSource(
  store: Store,
  filter: LogFilter,
  { format = {}, read = {}, onProgress }: SourceOptions,
): { source: LogSource; hasUnreadable: () => boolean } {
  let hasUnreadable = false;
  const onUnreadable = (messages: number) => {
    hasUnreadable = true;
    read.onUnreadable?.(messages);
  };
  const source = { store, filter, format, read: { ...read, upToRow: store.lastRow(), onUnreadable }, onProgress };
  return { source, hasUnreadable: () => hasUnreadable };
}

/** The same lines, but those of a span of time only: the first and the last millisecond. */
export function within(source: LogSource, span: { readonly first?: number; readonly last?: number }): LogSource {
  const since = Math.max(source.filter.since ?? Number.NEGATIVE_INFINITY, span.first ?? Number.NEGATIVE_INFINITY);
  const until = Math.min(source.filter.until ?? Number.POSITIVE_INFINITY, span.last ?? Number.POSITIVE_INFINITY);
  const filter = {
    ...source.filter,
    ...(since !== Number.NEGATIVE_INFINITY && { since }),
    ...(until !== Number.POSITIVE_INFINITY && { until }),
  };
  return { ...source, filter };
}

/** Whether a line of this time can be among them. */
export function mayHold({ filter: { since, until } }: LogSource, at: number): boolean {
  return at >= (since ?? at) && at <= (until ?? at);
}

/**
 * Where the first line stands that came after a row of the store; undefined when none came.
 * @param onUnfinished told of lines that came since and go on, also of those that the filter does not let through as they
 * are; of those that stand before the first line all, of others some
 */
export async function firstLineAfter(
  source: LogSource,
  afterRow: number,
  onUnfinished: (line: UnfinishedLine) => void,
): Promise<Position | undefined> {
  const read = {
    ...source.read,
    maxLines: 1,
    ...(afterRow > 0 && { afterRow }),
    onUnfinished: (line: UnfinishedLine) => {
      if (mayHold(source, line.at)) onUnfinished(line);
    },
  };
  for await (const { first } of readLines(source.store, source.filter, read)) {
    if (first !== undefined) return positionOf(first);
  }
  return undefined;
}

/**
 * All that decides how a line is written and which are, in short: of the same key and the same row come the same bytes.
 * The store's rows are counted on only as long as none was drawn anew.
 */
export function sourceKey({ store, filter, format, read }: LogSource): string {
  const { grep, ...labels } = filter;
  const parts = [
    FORM_VERSION,
    labels,
    grep?.map(({ source, flags }) => [source, flags]) ?? [],
    format.output ?? 'text',
    format.utc ? 'utc' : [Intl.DateTimeFormat().resolvedOptions().timeZone, process.versions.tz],
    namesShown(store, read),
    statSync(store.file, { throwIfNoEntry: false })?.ino,
    store.meta(META.generation) ?? '',
    store.meta(META.labelFloor) ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** A machine's name is shown where its lines do not say where they come from. */
function namesShown(store: Store, { nameOf }: ReadOptions): (readonly [feed: string, name: string])[] {
  const feeds = new Set<string>();
  for (const { feed, source } of store.allSeries()) if (source === undefined) feeds.add(feed);
  return [...feeds].map((feed) => [feed, nameOf?.(feed) ?? '']);
}

/** What a row of the store holds: in another store, such as an old copy put back, the number means something else. */
export function rowMark(store: Store, row: number): string {
  if (row === 0) return '';
  const [found] = store.labels({ order: 'ascending', afterRow: row - 1, upToRow: row });
  if (found === undefined) return '';
  const { series, sequence, line, first } = found;
  return `${store.series(series)?.feed} ${sequence} ${line} ${first}`;
}
