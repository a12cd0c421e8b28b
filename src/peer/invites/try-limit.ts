/** How often wrong invites may be tried, by one machine and by all together: who guesses is not to keep this one busy. */
import { SsblogError } from '../../errors.ts';

const WINDOW_MS = 60_000;
const MAX_OF_ONE = 10;
/** Also bounds what is remembered. */
const MAX_OF_ALL = 100;

export class TryLimit {
  readonly #now: () => number;
  readonly #failures = new Map<string, number>();
  #total = 0;
  #sinceMs = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @throws SsblogError `busy` when the machine has to wait; whoever has a good invite asks again later */
  check(machine: string): void {
    if (this.#now() - this.#sinceMs >= WINDOW_MS) {
      this.#failures.clear();
      this.#total = 0;
      this.#sinceMs = this.#now();
    }
    if ((this.#failures.get(machine) ?? 0) < MAX_OF_ONE && this.#total < MAX_OF_ALL) return;
    throw new SsblogError('busy', 'too many wrong invites were tried there; it is tried again later');
  }

  failed(machine: string): void {
    this.#failures.set(machine, (this.#failures.get(machine) ?? 0) + 1);
    this.#total += 1;
  }
}
