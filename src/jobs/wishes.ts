/** What counts of what machines want of a job: paused, active, forgotten. Pure. */
import type { JobWish } from '../store/store.ts';

export interface Wishes {
  /** Who paused it, while it is paused. */
  readonly pause: { readonly by: string; readonly at: number; readonly until: number | null } | undefined;
  /** When a pause ended: by itself or because somebody said so. */
  readonly activeSince: number | undefined;
  /** Runs that started before are hidden. */
  readonly forgotten: number | undefined;
  /** The time of the latest wish: a later one must have a later time. */
  readonly latest: number;
}

export interface Wishers {
  /** Whether this feed's wishes for the job count. */
  mayWish(author: string): boolean;
  /** Milliseconds that its clock is ahead, as far as is known. */
  clockOffset(author: string): number;
}

/** Clocks that the network sets differ by less: what is dated later is not believed. */
const TOLERANCE_MS = 60_000;

/**
 * The latest wish of those who may have one counts.
 * @param now milliseconds since the epoch
 */
export function weighWishes(all: readonly JobWish[], { mayWish, clockOffset }: Wishers, now: number): Wishes {
  const endFor = (author: string) => now + TOLERANCE_MS + Math.max(clockOffset(author), 0);
  const wishes = all.filter(({ author, at }) => mayWish(author) && at <= endFor(author));
  const last = wishes.reduce<JobWish | undefined>((latest, wish) => (isLater(wish, latest) ? wish : latest), undefined);
  const forgotten = wishes
    .filter((wish) => (wish.forgotten ?? 0) <= endFor(wish.author))
    .flatMap((wish) => wish.forgotten ?? []);
  const isOver = last?.state === 'paused' && last.until !== null && last.until <= now;
  const isPaused = last?.state === 'paused' && !isOver;
  return {
    pause: isPaused ? { by: last.author, at: last.at, until: last.until } : undefined,
    activeSince: isOver ? (last.until ?? undefined) : last?.state === 'active' ? last.at : undefined,
    forgotten: forgotten.length === 0 ? undefined : Math.max(...forgotten),
    latest: last?.at ?? 0,
  };
}

/** Those of one time are told apart by their authors: every machine must come to the same end. */
function isLater(wish: JobWish, other: JobWish | undefined): boolean {
  return other === undefined || wish.at > other.at || (wish.at === other.at && wish.author > other.author);
}
