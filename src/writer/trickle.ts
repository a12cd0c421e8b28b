/** Tells lines that trickle from lines that rush: a token bucket. */

/** The burst that still counts as a trickle … */
const TOKENS = 30;
/** … and how long it takes until there may be another. */
const REFILL_MS = 200;

export class Trickle {
  #tokens = TOKENS;
  #refilledAt: number;

  /** @param now milliseconds of any clock */
  constructor(now: number) {
    this.#refilledAt = now;
  }

  /** Counts one line at the time `now`. @returns whether it is one of a trickle */
  admits(now: number): boolean {
    const elapsedMs = Math.max(0, now - this.#refilledAt);
    this.#tokens = Math.min(TOKENS, this.#tokens + (elapsedMs * TOKENS) / REFILL_MS);
    this.#refilledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
