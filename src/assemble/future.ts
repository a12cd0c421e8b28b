/** Lines that are dated later than now: the clock of the machine that wrote them is ahead. */
import type { Store } from '../store/store.ts';
import { type LogFilter, type ReadOptions, readLines } from './lines.ts';

/** Clocks that the network sets differ by less. */
const TOLERANCE_MS = 60_000;

/** Counting goes no further: what matters then is that there are many. */
const MAX_COUNTED = 10_000;

/** @returns the last time that is not in the future: milliseconds since the epoch */
export function endOfPresent(now: number): number {
  return now + TOLERANCE_MS;
}

export interface FutureLines {
  readonly lines: number;
  /** There are more than that. */
  readonly isMore: boolean;
  /** By feed. */
  readonly byFeed: ReadonlyMap<string, number>;
}

/** Counts the lines of a filter that are dated after `end`. */
export async function countFutureLines(
  store: Store,
  filter: LogFilter,
  { end, ...options }: { readonly end: number } & Pick<ReadOptions, 'nameOf' | 'upToRow' | 'signal'>,
): Promise<FutureLines> {
  const byFeed = new Map<string, number>();
  let lines = 0;
  for await (const batch of readLines(store, { ...filter, since: end + 1 }, options)) {
    for (const { feed } of batch) {
      if (lines === MAX_COUNTED) return { lines, isMore: true, byFeed };
      lines += 1;
      byFeed.set(feed, (byFeed.get(feed) ?? 0) + 1);
    }
  }
  return { lines, isMore: false, byFeed };
}
