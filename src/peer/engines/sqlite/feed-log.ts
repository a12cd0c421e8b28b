/**
 * The feeds, with the store as their record. What is published and added in one turn of the event loop becomes one
 * transaction; only when that is on the disk is anybody told of it, in order. Meanwhile the heads of feeds run ahead,
 * so that messages can be chained; when the transaction fails, they go back and everything in it fails.
 */
import type { Identity } from '../../../config/identity.ts';
import type { SignedMessage, SignedValue } from '../../../message/signed.ts';
import type { Store } from '../../../store/store.ts';
import type { Callback } from '../../ssb/types.ts';
import { Arrivals } from './arrivals.ts';
import { messageId, sign } from './classic.ts';
import { monotonicClock } from './clock.ts';
import { RecentMessages } from './recent.ts';
import { SignatureThread } from './signature-thread.ts';
import {
  checkHmacKey,
  checkMessage,
  checkShape,
  checkSize,
  type Head,
  InvalidMessage,
  isContent,
  isFeedId,
  type Precheck,
} from './validate.ts';

/** Messages that wait for a transaction; more than these are written before the turn is over. */
const MAX_PENDING_MESSAGES = 512;
/** While others' messages rush in, their transactions begin at least so far apart: one commit for many. */
const PAUSE_MS = 10;
/** So many of others need not wait that long when no more are to come … */
const WORTH_A_COMMIT = 128;
/** … and so many when there are. */
const MANY_MESSAGES = 256;
/** What one transaction has of others' when nothing rushes. */
const FEW_MESSAGES = 64;
/** The share of the time in which the event loop has something to do, from which on it does not keep up. */
const BUSY = 0.9;
/** A rush of so many is worth a thread that verifies. */
const WORTH_A_THREAD = 512;

export interface FeedLogOptions {
  readonly keys: Identity;
  readonly store: Store;
  /** SSB's `caps.sign`: a key that the network mixes into its signatures. Most have none. */
  readonly hmacKey?: unknown;
  /** What verifies while messages rush in; it ends with the FeedLog. */
  readonly thread?: SignatureThread;
  readonly now?: () => number;
}

interface Pending {
  readonly message: SignedMessage;
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
  readonly #ownTime: () => number;
  readonly #receiptTime: () => number;
  readonly #thread: SignatureThread;
  readonly #arrivals: Arrivals;
  /** Others' messages since there were few, or time between them. */
  #rush = 0;
  #utilization = performance.eventLoopUtilization();
  #pending: Pending[] = [];
  /** What is to be told of transactions that are over. */
  #outcomes: (() => void)[] = [];
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
    this.#ownTime = monotonicClock(0, now);
    this.#receiptTime = monotonicClock(store.log.lastReceived(), now);
    this.#thread = thread ?? new SignatureThread();
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
      this.#enqueue({ message: this.#make(content), isOwn: false, done });
    });
  }

  /** Signs contents of this machine's writer as its next messages, all or none. Resolves when they are durable. */
  publishAll(contents: readonly unknown[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const done: Callback<SignedMessage> = (error) => (error ? reject(error) : resolve());
      if (contents.length === 0) return resolve();
      this.#attempt(done, () => {
        this.#makeRoom(contents.length);
        const { id } = this.#options.keys;
        const before = this.#head(id);
        try {
          const messages = contents.map((content) => {
            const message = this.#make(content);
            this.#heads.set(id, headOf(message));
            return message;
          });
          messages.forEach((message, index) => {
            this.#enqueue({ message, isOwn: true, done: index === messages.length - 1 ? done : undefined });
          });
        } catch (error) {
          if (before === undefined) this.#heads.delete(id);
          else this.#heads.set(id, before);
          throw error;
        }
      });
    });
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
    this.#enqueue({ message, isOwn: false, done });
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
    this.#thread.close();
    this.#commit();
    this.#isClosed = true;
    this.#tell();
    for (const listener of this.#committed) listener();
  }

  #attempt(done: Callback<SignedMessage>, work: () => void): void {
    try {
      if (this.#isClosed) throw new Error('the peer is ending');
      work();
    } catch (error) {
      done(error as Error);
    }
  }

  #make(content: unknown): SignedMessage {
    if (!isContent(content)) throw new InvalidMessage('invalid message content, must be object or encrypted string');
    refuseRecipients(content as { recps?: unknown });
    const { keys } = this.#options;
    const head = this.#head(keys.id);
    const unsigned = {
      previous: head?.key ?? null,
      sequence: (head?.sequence ?? 0) + 1,
      author: keys.id,
      timestamp: this.#ownTime(),
      hash: 'sha256' as const,
      content,
    };
    const { text, value } = sign(unsigned, checkShape(unsigned), keys, this.#hmacKey);
    checkSize(text);
    return { key: messageId(text), value, timestamp: this.#receiptTime() };
  }

  #head(feed: string): Head | undefined {
    const known = this.#heads.get(feed) ?? this.store.log.head(feed);
    if (known !== undefined) this.#heads.set(feed, known);
    return known;
  }

  #enqueue(pending: Pending): void {
    this.#heads.set(pending.message.value.author, headOf(pending.message));
    this.#pending.push(pending);
    if (pending.message.value.author === this.#options.keys.id) {
      this.#schedule();
      return;
    }
    if (this.#arrivals.isEmpty) this.#scheduleLater();
    else if (this.#pending.length >= MANY_MESSAGES) this.#schedule();
  }

  #makeRoom(messages: number): void {
    if (this.#pending.length > 0 && this.#pending.length + messages > MAX_PENDING_MESSAGES) this.#commit();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commit();
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

  #commit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    this.#lastCommitMs = performance.now();
    this.#lastCommitted = batch.length;
    this.#countRush(batch);
    try {
      const own = new Set(batch.filter(({ isOwn }) => isOwn).map(({ message }) => message));
      this.store.ingest(
        batch.map(({ message }) => message),
        (message) => own.has(message),
      );
    } catch (error) {
      this.#heads.clear();
      for (const { done } of batch) this.#outcomes.push(() => done?.(error as Error));
      this.#outcomes.push(() => this.#fail(error));
      return;
    }
    for (const { message, done } of batch) {
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

  /** A thread that has time to wait keeps up by itself, and what it hands over costs more than what it does. */
  #countRush(batch: readonly Pending[]): void {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(this.#utilization, before);
    const count = batch.filter(({ message }) => message.value.author !== this.#options.keys.id).length;
    this.#rush = count < FEW_MESSAGES || utilization < BUSY ? 0 : this.#rush + count;
    if (this.#rush >= WORTH_A_THREAD) this.#thread.start();
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
      }
    }
  }
}

function headOf({ key, value }: SignedMessage): Head {
  return { key, sequence: value.sequence };
}

/** Nothing here can encrypt: what is meant for some only must not be published for all. */
function refuseRecipients({ recps }: { recps?: unknown }): void {
  if (!recps) return;
  throw new InvalidMessage(
    `private message requested, but no boxers could encrypt these recps: ${JSON.stringify(recps)}`,
  );
}
