/** Who follows and who blocks whom, how far everybody is from this machine, and whoever waits for that to change. */
import { hopsFrom } from '../store/hops.ts';
import type { Contact } from '../store/store.ts';

/** Hops to a feed: negative when it is not wanted. */
export type Hops = ReadonlyMap<string, number>;

/** This machine blocks it. */
const BLOCKED = -1;
/** It is out of reach now. */
const LOST = -2;

export class Relations {
  readonly #self: string;
  readonly #maxHops: number;
  readonly #contacts = new Map<string, Contact>();
  #hops: Hops;
  #isLoaded = false;
  #isScheduled = false;
  #waiting: (() => void)[] = [];
  readonly #readyListeners: (() => void)[] = [];

  constructor(self: string, maxHops: number) {
    this.#self = self;
    this.#maxHops = maxHops;
    this.#hops = new Map([[self, 0]]);
  }

  /** Takes over what is stored. What was set before is later, and stays. */
  load(contacts: readonly Contact[]): void {
    const early = [...this.#contacts];
    for (const contact of contacts) this.#contacts.set(keyOf(contact), contact);
    for (const [key, contact] of early) this.#contacts.set(key, contact);
    this.#isLoaded = true;
    this.#measure();
    for (const listener of this.#readyListeners.splice(0)) listener();
  }

  set(contact: Contact): void {
    this.#contacts.set(keyOf(contact), contact);
    if (!this.#isLoaded || this.#isScheduled) return;
    // Once for all contacts that come together.
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#measure();
    });
  }

  /** Calls once what is stored was loaded. */
  whenReady(listener: () => void): void {
    if (this.#isLoaded) listener();
    else this.#readyListeners.push(listener);
  }

  get(from: string, to: string): Contact | undefined {
    return this.#contacts.get(keyOf({ from, to }));
  }

  all(): IterableIterator<Contact> {
    return this.#contacts.values();
  }

  get hops(): Hops {
    return this.#hops;
  }

  /**
   * @param known what the caller knows already; brought up to date
   * @returns what is different now
   */
  changesSince(known: Map<string, number>): Map<string, number> {
    const changes = new Map([...this.#hops].filter(([feed, hops]) => known.get(feed) !== hops));
    for (const [feed, hops] of known) if (hops >= 0 && !this.#hops.has(feed)) changes.set(feed, LOST);
    for (const [feed, hops] of changes) known.set(feed, hops);
    return changes;
  }

  /** Calls once, at the next change of hops. @returns a function that stops it */
  onceChanged(listener: () => void): () => void {
    this.#waiting.push(listener);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== listener);
    };
  }

  #measure(): void {
    const contacts = [...this.#contacts.values()];
    const hops = hopsFrom(this.#self, contacts, this.#maxHops);
    for (const { from, to, blocking } of contacts) if (blocking && from === this.#self) hops.set(to, BLOCKED);
    this.#hops = hops;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener();
  }
}

function keyOf({ from, to }: Pick<Contact, 'from' | 'to'>): string {
  return `${from} ${to}`;
}
