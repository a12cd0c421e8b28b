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

  /**
   * Counts lines that came at once, at the time `now`. Those of a rush count too, or it would be strewn with single lines.
   * @returns whether they are a trickle
   */
  admits(lines: number, now: number): boolean {
    const elapsedMs = Math.max(0, now - this.#refilledAt);
    const tokens = Math.min(TOKENS, this.#tokens + (elapsedMs * TOKENS) / REFILL_MS);
    this.#refilledAt = now;
    this.#tokens = Math.max(0, tokens - lines);
    return tokens >= lines;
  }
}
