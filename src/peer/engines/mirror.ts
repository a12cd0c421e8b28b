/**
 * Follows an ssb-db record into the store. The cursor is (feed, sequence) in the store itself, so it is
 * as durable as what was copied. Knows nothing of flume's files.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SignedMessage } from '../../message/signed.ts';
import { Loop } from '../../writer/loop.ts';
import { iterate, promised } from '../pull.ts';
import type { EngineContext } from './engine.ts';

/** One transaction holds at most this many messages. */
const BATCH_MESSAGES = 256;

/** Beyond this many messages in memory the rest is read back from the record, when its turn comes. */
const MAX_PENDING_MESSAGES = 2048;

interface Waiter {
  readonly feed: string;
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Mirror {
  readonly #context: EngineContext;
  readonly #cursor: Map<string, number>;
  #pending: SignedMessage[] = [];
  /** Feeds of which the record has more than was seen live. */
  readonly #behind = new Set<string>();
  #waiters: Waiter[] = [];
  readonly #loop = new Loop(() => this.#copy());
  #failure: unknown;
  #stopListening: (() => void) | undefined;
  #closed = false;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#cursor = context.store.clock();
  }

  /** Starts to follow; resolves when the store has caught up with the record as it was at the call. */
  async start(): Promise<void> {
    const { peer } = this.#context;
    this.#stopListening = peer.post((message) => this.#receive(message), false);
    const clock = await promised<Record<string, number>>((callback) => peer.getVectorClock(callback));
    await this.#reconcile(clock);
    for (const [feed, sequence] of Object.entries(clock)) {
      if (sequence > (this.#cursor.get(feed) ?? 0)) this.#behind.add(feed);
    }
    this.#loop.wake();
    await this.#loop.idle();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when the store holds a feed up to a sequence, durably. */
  reached(feed: string, sequence: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else if ((this.#cursor.get(feed) ?? 0) >= sequence) resolve();
      else this.#waiters.push({ feed, sequence, resolve, reject });
    });
  }

  async close(): Promise<void> {
    this.#stopListening?.();
    await this.#loop.idle();
    this.#closed = true;
  }

  #receive(message: SignedMessage): void {
    if (this.#closed) return;
    if (this.#pending.length >= MAX_PENDING_MESSAGES) this.#behind.add(message.value.author);
    else this.#pending.push(message);
    this.#loop.wake();
  }

  async #copy(): Promise<void> {
    try {
      // The messages of one turn of the event loop go into one transaction.
      await nextTurn();
      while (this.#pending.length > 0 || this.#behind.size > 0) {
        if (this.#pending.length > 0) this.#copyPending();
        else await this.#copyBehind();
        await nextTurn();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #copyPending(): void {
    const batch = this.#pending.slice(0, BATCH_MESSAGES);
    this.#pending = this.#pending.slice(batch.length);
    const next = new Map<string, number>();
    const inOrder = batch.filter(({ value }) => {
      const last = next.get(value.author) ?? this.#cursor.get(value.author) ?? 0;
      if (value.sequence <= last) return false;
      if (value.sequence > last + 1) {
        this.#behind.add(value.author);
        return false;
      }
      next.set(value.author, value.sequence);
      return true;
    });
    this.#ingest(inOrder);
  }

  async #copyBehind(): Promise<void> {
    const [feed] = this.#behind;
    if (feed === undefined) return;
    this.#behind.delete(feed);
    let batch: SignedMessage[] = [];
    const after = this.#cursor.get(feed) ?? 0;
    for await (const message of iterate(this.#context.peer.createUserStream({ id: feed, gt: after }))) {
      batch.push(message);
      if (batch.length < BATCH_MESSAGES) continue;
      this.#ingest(batch);
      batch = [];
      await nextTurn();
    }
    this.#ingest(batch);
  }

  #ingest(batch: SignedMessage[]): void {
    if (batch.length === 0) return;
    this.#context.store.ingest(batch);
    for (const { value } of batch) this.#cursor.set(value.author, value.sequence);
    this.#waiters = this.#waiters.filter((waiter) => {
      if ((this.#cursor.get(waiter.feed) ?? 0) < waiter.sequence) return true;
      waiter.resolve();
      return false;
    });
  }

  /**
   * The store is fsynced at every commit, flume never: after a power cut the store may hold messages that
   * flume lost. They are given back to it, or else this machine would sign other ones with their numbers.
   */
  async #reconcile(clock: Record<string, number>): Promise<void> {
    const { store, notice } = this.#context;
    for (const [feed, stored] of [...this.#cursor]) {
      const recorded = clock[feed] ?? 0;
      const isSame = await this.#agrees(feed, Math.min(stored, recorded));
      if (isSame && stored <= recorded) continue;
      if (isSame && (await this.#giveBack(feed, recorded))) {
        notice(`gave ${stored - recorded} messages of ${feed} back to flume, which had lost them`);
        continue;
      }
      notice(`the store did not agree with flume about ${feed}: reading that feed again`);
      store.forgetFeed(feed);
      this.#cursor.delete(feed);
    }
  }

  async #agrees(feed: string, sequence: number): Promise<boolean> {
    if (sequence === 0) return true;
    const stored = this.#context.store.message(feed, sequence);
    const recorded = await promised<SignedMessage>((callback) =>
      this.#context.peer.getAtSequence([feed, sequence], callback),
    );
    return stored?.key === recorded.key;
  }

  /** @returns false when flume refuses a message (its feed went another way) */
  async #giveBack(feed: string, after: number): Promise<boolean> {
    const { store, peer, notice } = this.#context;
    for (const message of store.messages(feed, after)) {
      try {
        await promised<SignedMessage>((callback) => peer.add(message.value, callback));
      } catch (error) {
        notice(`flume refused message ${message.value.sequence} of ${feed}: ${(error as Error).message}`);
        return false;
      }
    }
    return true;
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
    this.#context.fatal(error);
  }
}
