/** How many packets are looked at: whoever floods the port costs a bounded time, and hides others as little as can be. */

const PERIOD_MS = 1_000;
/** Fifty machines on one host send less. */
const MAX_PER_SOURCE = 100;
/** A few microseconds each. */
const MAX_PACKETS = 2_000;

export class FloodGate {
  readonly #now: () => number;
  #periodStart = Number.NEGATIVE_INFINITY;
  #count = 0;
  readonly #bySource = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  admits(source: string): boolean {
    const elapsed = this.#now() - this.#periodStart;
    if (elapsed >= PERIOD_MS || elapsed < 0) {
      this.#periodStart = this.#now();
      this.#count = 0;
      this.#bySource.clear();
    }
    const ofSource = (this.#bySource.get(source) ?? 0) + 1;
    if (ofSource > MAX_PER_SOURCE || this.#count >= MAX_PACKETS) return false;
    this.#bySource.set(source, ofSource);
    this.#count += 1;
    return true;
  }
}
