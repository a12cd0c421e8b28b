/** Reads the combined log from the store: sorted by time, then feed, run and number, the same on every machine. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store } from '../store/store.ts';
import type { LogFilter } from './filters.ts';
import { lastLineBatches } from './last-lines.ts';
import { lineBatches, type UnfinishedLine } from './line-batches.ts';
import type { LogLines } from './log-lines.ts';
import type { NameOf } from './lookup.ts';
import type { OpenLines } from './open-lines.ts';

export type { LogFilter } from './filters.ts';
export type { UnfinishedLine } from './line-batches.ts';
export type { LogLine } from './log-line.ts';
export { LogLines } from './log-lines.ts';
export type { NameOf } from './lookup.ts';
export { OpenLines } from './open-lines.ts';

/** How long the reader may keep the event loop from everything else. */
const TURN_MS = 20;

export interface ReadOptions {
  /** Names of machines, for lines that do not say where they come from. */
  readonly nameOf?: NameOf;
  /** Only the last so many lines, in the order of the log. */
  readonly limit?: number;
  /** The newest line first. Not together with `limit`. */
  readonly reverse?: boolean;
  /**
   * Only what arrived after this row of the store, up to that one (default: the newest there is). To follow the log,
   * ask the store for its `lastRow`, read up to it, and go on from it when the store's `dataVersion` has changed.
   */
  readonly afterRow?: number;
  readonly upToRow?: number;
  /** About how many lines a batch has at most; for who needs only the first ones. */
  readonly maxLines?: number;
  /** Keeps lines whose last piece has not come, for the next call with the same object; else they are shown as they are. */
  readonly openLines?: OpenLines;
  /** Told of lines that are shown without their last piece, which may still come; not together with `limit`. */
  readonly onUnfinished?: (line: UnfinishedLine) => void;
  /** A batch and its bytes hold only until the next batch is asked for: their memory is given back then. */
  readonly isTransient?: boolean;
  readonly signal?: AbortSignal;
  /** Told how many messages could not be unpacked: the store is damaged. */
  readonly onUnreadable?: (messages: number) => void;
}

/**
 * Lines in batches, none of them empty. Memory does not grow with the log, but with its longest line.
 * @throws SsblogError `store` when the store cannot be read; the signal's reason when it is aborted
 */
export async function* readLines(
  store: Store,
  filter: LogFilter,
  options: ReadOptions = {},
): AsyncGenerator<LogLines, undefined> {
  const { limit, signal, reverse = false } = options;
  let unreadable = 0;
  const batchOptions = {
    nameOf: options.nameOf ?? (() => undefined),
    reverse,
    afterRow: options.afterRow,
    upToRow: options.upToRow ?? store.lastRow(),
    maxLines: options.maxLines,
    openLines: options.openLines,
    onUnfinished: options.onUnfinished,
    isTransient: options.isTransient,
    onUnreadable: () => {
      unreadable += 1;
    },
  };
  const batches =
    limit === undefined
      ? lineBatches(store, filter, batchOptions)
      : lastLineBatches(store, filter, { ...batchOptions, limit });
  let turnEnds = performance.now() + TURN_MS;
  for (const batch of batches) {
    signal?.throwIfAborted();
    if (batch.length > 0) yield batch;
    if (performance.now() < turnEnds) continue;
    await nextTurn();
    turnEnds = performance.now() + TURN_MS;
  }
  if (unreadable > 0) options.onUnreadable?.(unreadable);
}
