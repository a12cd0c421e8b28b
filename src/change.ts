/** Something that others wait for, again and again: room in a queue, another item in it, its end. */

export class Change {
  #resolve: (() => void) | undefined;
  #next: Promise<void> | undefined;

  /** Settles when it is next told, for all who wait. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#next;
  }

  tell(): void {
    this.#resolve?.();
    this.#resolve = undefined;
    this.#next = undefined;
  }
}
