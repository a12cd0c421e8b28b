/**
 * The feeds, with the store as their record. What is published and added in one turn of the event loop becomes one
 * transaction; only when that is on the disk is anybody told of it, in order. Meanwhile the heads of feeds run ahead,
 * so that messages can be chained; when the transaction fails, they go back and everything in it and after it fails.
 */
import type { Identity } from '../../../config/identity.ts';
import type { SignedMessage, SignedValue } from '../../../message/signed.ts';
import type { Store } from '../../../store/store.ts';
import type { Callback } from '../../ssb/types.ts';
import type { Placed } from '../engine.ts';
import { Arrivals } from './arrivals.ts';
import { Author, type Chain } from './author.ts';
import { monotonicClock } from './clock.ts';
import { RecentMessages } from './recent.ts';
import { SignatureThread } from './signature-thread.ts';
import { checkHmacKey, checkMessage, type Head, isFeedId, type Precheck } from './validate.ts';

/** Messages that wait for a transaction; more than these are written before the turn is over. */
const MAX_PENDING_MESSAGES = 768;
/** While others' messages rush in, their transactions begin at least so far apart: one commit for many. */
const PAUSE_MS = 10;
/** So many of others need not wait that long when no more are to come … */
const WORTH_A_COMMIT = 128;
/** … and so many when there are. */
const MANY_MESSAGES = 256;
/** What one transaction has when nothing rushes. */
const FEW_MESSAGES = 64;
/** The share of the time in which the event loop has something to do, from which on it does not keep up. */
const BUSY = 0.9;
/** A rush of so many is worth a second thread. */
const WORTH_A_THREAD = 512;

export interface FeedLogOptions {
  readonly keys: Identity;
  readonly store: Store;
  /** SSB's `caps.sign`: a key that the network mixes into its signatures. Most have none. */
  readonly hmacKey?: unknown;
  /** What verifies and signs while messages rush in; it ends with the FeedLog. */
  readonly thread?: SignatureThread;
  readonly now?: () => number;
}

interface Pending {
  /** Waits for its signature, where that is still being made. */
  readonly message: () => SignedMessage;
  /** What it is part of, where another thread signs. */
  readonly chain?: Chain;
  /** Its content was made by this machine's writer. */
  readonly isOwn: boolean;
  /** Told when it is durable, or why it is not. */
  readonly done: Callback<SignedMessage> | undefined;
}

type Listener = (message: SignedMessage) => void;

export class FeedLog {
  readonly #options: FeedLogOptions;
  readonly #hmacKey: Buffer | undefined;
  /** Last messages of feeds, those that are still pending included. */
  readonly #heads = new Map<string, Head>();
  readonly #recent = new RecentMessages();
  readonly #author: Author;
  readonly #receiptTime: () => number;
  readonly #thread: SignatureThread;
  readonly #arrivals: Arrivals;
  /** Messages since there were few, or time between them. */
  #rush = 0;
  #utilization = performance.eventLoopUtilization();
  #pending: Pending[] = [];
  /** What is to be told of transactions that are over. */
  #outcomes: (() => void)[] = [];
  /** Why a transaction failed, until all have heard of it. */
  #untold: { readonly error: unknown } | undefined;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #lastCommitted = 0;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  readonly #listeners = new Set<Listener>();
  readonly #committed = new Set<() => void>();
  readonly #failed = new Set<(error: unknown) => void>();
  #last: SignedMessage | undefined;

  constructor(options: FeedLogOptions) {
    const { store, hmacKey, now, thread } = options;
    this.#options = options;
    this.#hmacKey = checkHmacKey(hmacKey);
    this.#receiptTime = monotonicClock(store.log.lastReceived(), now);
    this.#thread = thread ?? new SignatureThread();
    this.#author = new Author({
      keys: options.keys,
      hmacKey: this.#hmacKey,
      thread: this.#thread,
      ownTime: monotonicClock(0, now),
      receiptTime: this.#receiptTime,
    });
    this.#arrivals = new Arrivals({
      thread: this.#thread,
      hmacKey: this.#hmacKey,
      sequence: (feed) => this.#head(feed)?.sequence ?? 0,
      take: (value, done, known) => this.#takeInTurn(value, done, known),
      onEmpty: () => {
        if (this.#pending.length >= WORTH_A_COMMIT) this.#schedule();
        else this.#scheduleLater();
      },
    });
  }

  get store(): Store {
    return this.#options.store;
  }

  /** Signs a content as this machine's next message. Calls back when it is durable. */
  publish(content: unknown, done: Callback<SignedMessage>): void {
    this.#attempt(done, () => {
      this.#makeRoom(1);
      const { id } = this.#options.keys;
      const message = this.#author.make(this.#head(id), content);
      this.#enqueue([{ message: () => message, isOwn: false, done }], id, headOf(message));
    });
  }

  /**
   * Makes contents of this machine's writer its next messages, all or none.
   * @throws InvalidMessage, or because the peer is ending, or what a transaction has just failed with
   */
  publishAll(contents: readonly unknown[]): Placed {
    if (contents.length === 0) return { durable: Promise.resolve() };
    this.#refuseWhenClosed();
    this.#makeRoom(contents.length);
    // Whoever gives these does not know yet that what they follow has failed.
    if (this.#untold !== undefined) throw this.#untold.error;
    const { id } = this.#options.keys;
    const chain = this.#author.makeAll(this.#head(id), contents, () => this.#schedule());
    const durable = new Promise<void>((resolve, reject) => {
      const done: Callback<SignedMessage> = (error) => (error ? reject(error) : resolve());
      const last = contents.length - 1;
      const pending = contents.map<Pending>((_, index) => {
        return { message: () => chain.at(index), chain, isOwn: true, done: index === last ? done : undefined };
      });
      this.#enqueue(pending, id, chain.head);
    });
    return { durable };
  }

  /** Takes in a message of any feed after checking it. Calls back when it is durable. */
  add(value: unknown, done: Callback<SignedMessage>): void {
    this.#attempt(done, () => {
      // What is this machine's own must be known to whoever publishes next.
      const isOwn = (value as SignedValue | null)?.author === this.#options.keys.id;
      if (!isOwn && (this.#thread.isReady || !this.#arrivals.isEmpty)) this.#arrivals.add(value, done);
      else this.#take(value, done);
    });
  }

  #take(value: unknown, done: Callback<SignedMessage>, known?: Precheck): void {
    this.#makeRoom(1);
    const author = (value as SignedValue | null)?.author;
    const head = isFeedId(author) ? this.#head(author) : undefined;
    const key = checkMessage(head, value, this.#hmacKey, known);
    const message = { key, value: value as SignedValue, timestamp: this.#receiptTime() };
    this.#enqueue([{ message: () => message, isOwn: false, done }], message.value.author, headOf(message));
  }

  #takeInTurn(value: unknown, done: Callback<SignedMessage>, known: Precheck | undefined): void {
    try {
      this.#take(value, done, known);
    } catch (error) {
      this.#outcomes.push(() => done(error as Error));
      this.#schedule();
    }
  }

  /** A feed's last message, those that are not durable yet included. */
  head(feed: string): Head | undefined {
    return this.#head(feed);
  }

  at(feed: string, sequence: number): SignedMessage | undefined {
    return this.#recent.get(feed, sequence) ?? this.store.message(feed, sequence);
  }

  /**
   * Calls with every message once it is durable, and at once with the last one there was.
   * @returns a function that stops it
   */
  post(listener: Listener, immediately?: boolean): () => void {
    this.#listeners.add(listener);
    if (this.#last !== undefined && immediately !== false) listener(this.#last);
    return () => this.#listeners.delete(listener);
  }

  /** Calls after every transaction. @returns a function that stops it */
  onCommit(listener: () => void): () => void {
    this.#committed.add(listener);
    return () => this.#committed.delete(listener);
  }

  /** Calls when a transaction failed. */
  onFailure(listener: (error: unknown) => void): void {
    this.#failed.add(listener);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Makes durable what waits, tells of it, and takes nothing more. */
  close(): void {
    if (this.#isClosed) return;
    this.#arrivals.settle();
    this.#commitAll();
    this.#thread.close();
    this.#isClosed = true;
    this.#tell();
    for (const listener of this.#committed) listener();
  }

  #attempt(done: Callback<SignedMessage>, work: () => void): void {
    try {
      this.#refuseWhenClosed();
      work();
    } catch (error) {
      done(error as Error);
    }
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new Error('the peer is ending');
  }

  #head(feed: string): Head | undefined {
    const known = this.#heads.get(feed) ?? this.store.log.head(feed);
    if (known !== undefined) this.#heads.set(feed, known);
    return known;
  }

  /** @param head what the feed then ends with */
  #enqueue(messages: readonly Pending[], feed: string, head: Head): void {
    this.#heads.set(feed, head);
    for (const message of messages) this.#pending.push(message);
    if (feed === this.#options.keys.id) {
      this.#schedule();
      return;
    }
    if (this.#arrivals.isEmpty) this.#scheduleLater();
    else if (this.#pending.length >= MANY_MESSAGES) this.#schedule();
  }

  #makeRoom(messages: number): void {
    if (this.#pending.length > 0 && this.#pending.length + messages > MAX_PENDING_MESSAGES) this.#commitAll();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commit(this.#takeSigned());
      this.#tell();
    });
  }

  #scheduleLater(): void {
    // Whoever gives one message after the other waits for each.
    const pauseMs = this.#lastCommitted > 1 ? PAUSE_MS : 0;
    const waitMs = this.#lastCommitMs + pauseMs - performance.now();
    if (waitMs <= 0) this.#schedule();
    else this.#timer ??= setTimeout(() => this.#schedule(), waitMs);
  }

  /** Waits for signatures. */
  #commitAll(): void {
    const batch = this.#pending;
    this.#pending = [];
    this.#commit(batch);
  }

  /** What can be committed now: when more is signed, there is another turn. */
  #takeSigned(): Pending[] {
    const unsigned = this.#pending.findIndex(({ chain }) => chain?.isSigned === false);
    return this.#pending.splice(0, unsigned === -1 ? this.#pending.length : unsigned);
  }

  #commit(batch: readonly Pending[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (batch.length === 0) return;
    this.#lastCommitMs = performance.now();
    this.#lastCommitted = batch.length;
    this.#countRush(batch.length);
    let messages: SignedMessage[];
    try {
      messages = batch.map(({ message }) => message());
      const own = new Set(messages.filter((_, index) => batch[index]?.isOwn));
      this.store.ingest(messages, (message) => own.has(message));
    } catch (error) {
      this.#untold = { error };
      this.#heads.clear();
      // What is pending follows what failed.
      const failed = [...batch, ...this.#pending.splice(0)];
      for (const { done } of failed) this.#outcomes.push(() => done?.(error as Error));
      this.#outcomes.push(() => this.#fail(error));
      return;
    }
    for (const [index, { done }] of batch.entries()) {
      const message = messages[index] as SignedMessage;
      this.#keepHead(message);
      this.#recent.add(message);
      this.#outcomes.push(() => {
        this.#last = message;
        for (const listener of this.#listeners) listener(message);
      });
      // As where views follow the log: whoever asks in its callback who is blocked now is told the truth.
      this.#outcomes.push(() => done?.(null, message));
    }
    this.#outcomes.push(() => {
      for (const listener of [...this.#committed]) listener();
    });
  }

  /** A head that waited for its signature holds all that was signed with it. */
  #keepHead(message: SignedMessage): void {
    const { author, sequence } = message.value;
    if (this.#heads.get(author)?.sequence === sequence) this.#heads.set(author, headOf(message));
  }

  /** A thread that has time to wait keeps up by itself, and what it hands over costs more than what it does. */
  #countRush(count: number): void {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(this.#utilization, before);
    this.#rush = count < FEW_MESSAGES || utilization < BUSY ? 0 : this.#rush + count;
    if (this.#rush >= WORTH_A_THREAD) this.#thread.start();
  }

  /** Behind those who were told and have not had their turn yet. */
  #forgetFailure(): void {
    const untold = this.#untold;
    if (untold === undefined) return;
    queueMicrotask(() => {
      if (this.#untold === untold) this.#untold = undefined;
    });
  }

  #fail(error: unknown): void {
    for (const listener of this.#failed) listener(error);
  }

  /** Whoever throws when told ends the process, unless somebody catches that: the others are told in any case. */
  #tell(): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    let told = 0;
    try {
      for (const outcome of outcomes) {
        told += 1;
        outcome();
      }
    } finally {
      if (told < outcomes.length) {
        this.#outcomes = [...outcomes.slice(told), ...this.#outcomes];
        this.#schedule();
      } else this.#forgetFailure();
    }
  }
}

function headOf({ key, value }: SignedMessage): Head {
  return { key, sequence: value.sequence };
}
