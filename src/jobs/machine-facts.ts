/** What is known of the machines whose jobs are judged: their names, their clocks, when they were last heard of. */
import type { Store } from '../store/store.ts';

export interface MachineFacts {
  /** Their names where known, by feed id. */
  readonly names: ReadonlyMap<string, string>;
  /** Those whose wishes for other machines' jobs count: this one, and the ones that it follows itself. */
  readonly trusted: ReadonlySet<string>;
  /** Milliseconds that a machine's clock is ahead; 0 when that is not known, or not worth a correction. */
  clockOffset(feed: string): number;
  /** When it was last known to be alive, by this machine's clock: milliseconds since the epoch. */
  heardAt(feed: string): number | undefined;
}

export interface FactsOptions {
  /** This machine's own feed. */
  readonly self: string;
  readonly now: number;
  /** Machines that were connected, and when last: see `peer/seen.ts`. */
  readonly seen?: ReadonlyMap<string, number> | undefined;
}

/** Clocks that the network sets differ by less, and so do the times that messages take. */
const CLOCK_TOLERANCE_MS = 60_000;

export function machineFacts(store: Store, { self, now, seen = new Map() }: FactsOptions): MachineFacts {
  const offsets = store.clockOffsets();
  const clockOffset = (feed: string) => {
    const offset = feed === self ? 0 : (offsets.get(feed) ?? 0);
    return Math.abs(offset) < CLOCK_TOLERANCE_MS ? 0 : offset;
  };
  const heard = new Map<string, number>();
  // It cannot have come before it was made, whatever its maker's clock says.
  for (const [feed, { made, received }] of store.lastMessages())
    heard.set(feed, Math.min(made - clockOffset(feed), received, now));
  for (const [feed, at] of seen) heard.set(feed, Math.min(Math.max(at, heard.get(feed) ?? 0), now));
  heard.set(self, now);
  const followed = store.contacts().filter(({ from, following }) => from === self && following);
  return {
    names: store.names(self),
    trusted: new Set([self, ...followed.map(({ to }) => to)]),
    clockOffset,
    heardAt: (feed) => heard.get(feed),
  };
}
