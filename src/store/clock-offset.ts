/** How far the clocks of other machines are from this one's, as far as the times of their messages tell. */
import { MAX_TIME_MS } from '../message/limits.ts';
import type { Database } from './database.ts';

/** Few, so that a clock that was set right is soon seen to be right. */
const RECENT_MESSAGES = 20;

/** Messages that were made with this much time between them … */
const MIN_GAP_MS = 1_000;
/** … and came with nearly as much between them came as they were made, not all at once later: the half of it is not. */
const LIVE_JITTER_MS = 2_000;
const LIVE_JITTER_SHARE = 0.5;

/** Of each feed the last so many messages, in their order: the index finds them, however many others there are. */
export const LAST_TIMES = `SELECT feeds.feed, messages.received, messages.value ->> '$.timestamp'
  FROM feeds JOIN messages ON messages.feed = feeds.id AND messages.sequence > feeds.sequence - ?
  ORDER BY feeds.id, messages.sequence`;

interface Times {
  /** By the machine's own clock, and by this one's: milliseconds since the epoch. */
  readonly made: number;
  readonly received: number;
}

/**
 * By feed id, in whole milliseconds: above 0 where the clock is ahead, below 0 where it is behind. A feed of which
 * nothing can be said is left out.
 */
export function readClockOffsets(db: Database): Map<string, number> {
  const rows = db.all(LAST_TIMES, RECENT_MESSAGES);
  const feeds = new Map<string, Times[]>();
  for (const [feed, received, made] of rows as [string, number, unknown][]) {
    if (typeof made !== 'number') continue;
    const times = feeds.get(feed) ?? [];
    times.push({ made: Math.min(Math.max(made, 0), MAX_TIME_MS), received });
    feeds.set(feed, times);
  }
  const offsets = new Map<string, number>();
  for (const [feed, times] of feeds) {
    const offset = clockOffset(times);
    if (offset !== undefined) offsets.set(feed, Math.round(offset));
  }
  return offsets;
}

/**
 * A message cannot come before it was made: one that did proves that the clock is ahead, by so much at least. One that
 * came later shows a clock that is behind only if it came as soon as it was made; messages of a machine that was away
 * come late as well, but all at once. Where that cannot be told apart, nothing is said.
 * @param times of messages in their order
 */
export function clockOffset(times: readonly Times[]): number | undefined {
  const ahead = Math.max(...times.map(aheadOf));
  if (ahead > 0) return ahead;
  const live = times.filter((message, index) => isLive(times[index - 1], message));
  return live.length === 0 ? undefined : Math.max(...live.map(aheadOf));
}

function aheadOf({ made, received }: Times): number {
  return made - received;
}

function isLive(previous: Times | undefined, message: Times): boolean {
  if (previous === undefined) return false;
  const gap = message.made - previous.made;
  const jitter = Math.abs(message.received - previous.received - gap);
  return gap >= MIN_GAP_MS && jitter <= Math.min(LIVE_JITTER_MS, gap * LIVE_JITTER_SHARE);
}
