/** Timestamps that no two messages share and that never go back while the process lives, as SSB wants them. */

/** A double still tells times of this age a quarter of it apart. */
const STEP_MS = 0.001;

/** @param after the first timestamp is later than this */
export function monotonicClock(after = 0, now: () => number = Date.now): () => number {
  let last = after;
  return () => {
    last = Math.max(now(), last + STEP_MS);
    return last;
  };
}
