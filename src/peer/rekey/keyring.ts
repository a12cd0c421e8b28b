/** The network keys that this machine accepts now: the current one, and older ones until their time is over. Pure. */

export interface OldKey {
  /** 32 bytes in base64. */
  readonly key: string;
  /** Accepted until then: milliseconds since the epoch. */
  readonly untilMs: number;
}

export class Keyring {
  #current: string;
  #old: readonly OldKey[];
  readonly #now: () => number;
  /** Machines that refused the first so many of the keys that they may be dialled with. */
  readonly #refusals = new Map<string, number>();

  constructor(current: string, old: readonly OldKey[] = [], now: () => number = Date.now) {
    this.#current = current;
    this.#old = old;
    this.#now = now;
  }

  get current(): string {
    return this.#current;
  }

  /** The current one first. */
  accepted(): string[] {
    const now = this.#now();
    return [this.#current, ...this.#old.filter(({ untilMs }) => untilMs > now).map(({ key }) => key)];
  }

  set(current: string, old: readonly OldKey[]): void {
    this.#current = current;
    this.#old = old;
    this.#refusals.clear();
  }

  /** The key to dial a machine with. @param mayUseOld whether it may be met under an old one */
  forDial(id: string, mayUseOld: boolean): string {
    const keys = mayUseOld ? this.accepted() : [this.#current];
    return keys[this.#refusals.get(id) ?? 0] ?? this.#current;
  }

  /** A dial with this key came to nothing in the handshake's first step, where nothing but the key counts. */
  refused(id: string, key: string, mayUseOld: boolean): void {
    const next = this.accepted().indexOf(key) + 1;
    const isLast = !mayUseOld || next === 0 || next >= this.accepted().length;
    if (isLast) this.#refusals.delete(id);
    else this.#refusals.set(id, next);
  }

  /** The next dial begins with the current key: the other machine may have it by then. */
  reached(id: string): void {
    this.#refusals.delete(id);
  }

  /** How many keys the machine has refused, where there is another one to try. */
  refusals(id: string): number {
    return this.#refusals.get(id) ?? 0;
  }
}
