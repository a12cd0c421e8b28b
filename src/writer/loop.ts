/** A loop that runs while there is work, one at a time, and misses no call that comes just as it ends. */

export class Loop {
  readonly #pass: () => Promise<void>;
  #running: Promise<void> | undefined;
  #isWanted = false;

  /** @param pass does what there is to do; it must report its own failures */
  constructor(pass: () => Promise<void>) {
    this.#pass = pass;
  }

  /** There is work: a pass begins after this call, now or after the one under way. */
  wake(): void {
    this.#isWanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when no pass is under way or wanted. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#pass();
      }
    } finally {
      // In the same turn as the last look at #isWanted: a later call starts anew.
      this.#running = undefined;
    }
  }
}
