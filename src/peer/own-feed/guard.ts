/**
 * Keeps a feed from forking: says whether this machine may write its feed now. It may not while others may hold
 * messages of it that are not here (then they are fetched first), and not when somebody else writes it. Knows nothing
 * of engines or connections; what it is told by others it believes only when this machine's own key signed it.
 */
import { SsblogError } from '../../errors.ts';
import type { SignedMessage, SignedValue } from '../../message/signed.ts';
import { signedId } from '../engines/sqlite/validate.ts';
import { describeHold, holdText } from './hold-text.ts';
import { type Hold, type HoldReason, isForGood, type OwnFeedState } from './state-file.ts';

/** Who has heard from one peer waits this long for others that hold more. */
const SETTLE_MS = 2_000;

/** Who said that it has more and did not show it is not waited for during this time. */
const DISTRUST_MS = 60_000;

/** Peers of which that is remembered. */
const MAX_DISTRUSTED = 1_000;

/** After a crash the record is most likely whole: whoever hears from nobody for this long goes on. */
const CRASH_PATIENCE_MS = 30_000;

export interface GuardOptions {
  readonly id: string;
  /** Sequence of the last message of the own feed; 0 for none. */
  readonly head: number;
  /** Reads a message of the own feed; undefined when it is not here. */
  readonly at: (sequence: number) => Promise<SignedMessage | undefined>;
  /** Asks a connected peer for a message of the own feed; undefined when it has none, or nothing that can be used. */
  readonly ask: (peer: string, sequence: number) => Promise<SignedValue | undefined>;
  /** Asks a connected peer whether it sees another process of this identity at the same time. */
  readonly seesTwin: (peer: string) => Promise<boolean>;
  readonly state: OwnFeedState;
  /** Keeps the state on the disk. */
  readonly save: (state: OwnFeedState) => void;
  readonly notice: (text: string) => void;
  /** Called when it turns out that another process writes the feed. */
  readonly onCloned: () => void;
  /** Called whenever the feed may be written again. */
  readonly onFree: () => void;
  readonly now?: () => number;
  readonly settleMs?: number;
  readonly crashPatienceMs?: number;
}

export class OwnFeedGuard {
  readonly #options: GuardOptions;
  readonly #now: () => number;
  readonly #startedMs: number;
  #state: OwnFeedState;
  #head: number;
  /** Peers that say that they have more are being asked. */
  readonly #questions = new Set<Promise<void>>();
  /** Peers that did not show what they said, and until when that counts. */
  readonly #distrusted = new Map<string, number>();
  /** Somebody who holds this feed has told how far, since it is held. */
  #isTold = false;
  #settle: NodeJS.Timeout | undefined;
  readonly #heardFrom = new Set<string>();
  /** Peers that are being asked by this machine, without having said anything. */
  readonly #inquiries = new Set<string>();
  readonly #agreedUpTo = new Map<string, number>();
  #patience: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#startedMs = this.#now();
    this.#state = options.state;
    this.#head = options.head;
    const { hold } = this.#state;
    if (hold === undefined) return;
    options.notice(holdText(hold));
    if (hold.reason !== 'crash') return;
    this.#patience = setTimeout(
      () => this.#release('nobody was heard from'),
      options.crashPatienceMs ?? CRASH_PATIENCE_MS,
    );
    this.#patience.unref();
  }

  get hold(): Hold | undefined {
    return this.#state.hold;
  }

  /**
   * Resolves when the feed may be written, after what peers have said of it has been looked into. What they say meanwhile
   * is for whoever comes next: who goes on saying something must not keep this machine from writing for ever.
   * @throws SsblogError `held` when it must not be written now
   */
  ready(): Promise<void> | void {
    if (this.#questions.size === 0) return this.#check();
    return Promise.allSettled(this.#questions).then(() => this.#check());
  }

  #check(): void {
    const { hold } = this.#state;
    if (hold === undefined) return;
    const { message, hint } = describeHold(hold);
    throw new SsblogError('held', message, { hint });
  }

  /** A message of the own feed is in the record, whoever brought it. */
  stored({ sequence }: SignedValue): void {
    this.#head = Math.max(this.#head, sequence);
    if (this.#state.hold !== undefined) this.#settleSoon();
  }

  /** A peer says how far it has the own feed. */
  heard(peer: string, sequence: number): void {
    if (this.#isClosed) return;
    // Who speaks of it takes it: what is written now will be there, whether or not anybody says so later.
    if (!this.#state.isKnown) this.#change({ isKnown: true });
    if (sequence < 1) return;
    const isNews = sequence > this.#head;
    const question = this.#lookInto(peer, sequence).then((isShown) => {
      this.#questions.delete(question);
      if (isShown) this.#distrusted.delete(peer);
      else if (isNews) this.#distrust(peer);
    });
    // Nobody who merely says so can keep this machine from writing; only what might be true is waited for.
    if (isNews && !this.#isDistrusted(peer)) this.#questions.add(question);
  }

  #distrust(peer: string): void {
    this.#distrusted.delete(peer);
    this.#distrusted.set(peer, this.#now() + DISTRUST_MS);
    const [oldest] = this.#distrusted.keys();
    if (this.#distrusted.size > MAX_DISTRUSTED && oldest !== undefined) this.#distrusted.delete(oldest);
  }

  #isDistrusted(peer: string): boolean {
    return this.#now() < (this.#distrusted.get(peer) ?? 0);
  }

  /**
   * Asks a connected peer whether it has a message that was not written here. It tells by itself in most cases, but
   * not when it takes this machine and a copy of it for one and speaks only with the other: then each may have written
   * as many messages, so that neither number nor silence tells, and the last one that both know is compared.
   */
  async inquire(peer: string): Promise<void> {
    if (this.#inquiries.has(peer)) return; // it is slow to answer
    this.#inquiries.add(peer);
    try {
      const head = this.#head;
      if (head > 0 && (this.#state.hold !== undefined || this.#agreed(peer) < head)) {
        if (!(await this.#lookInto(peer, head))) await this.#findEnd(peer, head);
      }
      await this.#lookInto(peer, this.#head + 1);
    } finally {
      this.#inquiries.delete(peer);
    }
  }

  /** Compares the last message of the own feed that a peer has; it has not the one of number `missing`. */
  async #findEnd(peer: string, missing: number): Promise<void> {
    let [from, to] = [this.#agreed(peer), missing];
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (await this.#lookInto(peer, middle)) from = middle;
      else to = middle;
    }
  }

  /** Up to this number a peer has shown the own feed as it is here. */
  #agreed(peer: string): number {
    return this.#agreedUpTo.get(peer) ?? 0;
  }

  /** @returns whether it has shown a message of that number */
  async #lookInto(peer: string, sequence: number): Promise<boolean> {
    try {
      return await this.#compare(peer, sequence);
    } catch (error) {
      this.#options.notice(`${peer} could not be asked for this machine's feed: ${(error as Error).message}`);
      return false;
    }
  }

  async #compare(peer: string, sequence: number): Promise<boolean> {
    // A held machine may be the copy: while the other one is there too, it must not begin to write beside it.
    if (this.#state.hold !== undefined && (await this.#options.seesTwin(peer))) {
      this.#hold('cloned', { atLeast: this.#head, detail: `${peer} is connected with both` });
      return false;
    }
    const value = await this.#options.ask(peer, sequence);
    const key = value?.author === this.#options.id && value.sequence === sequence ? signedId(value) : undefined;
    if (this.#isClosed || key === undefined) return false; // it has not shown what it says
    if (sequence > this.#head && value !== undefined && value.timestamp > this.#startedMs) {
      this.received(value);
    } else if (sequence > this.#head) {
      this.#hold('behind', {
        atLeast: sequence,
        detail: `${peer} has ${sequence} messages of it, here are ${this.#head}`,
      });
    } else {
      const own = await this.#options.at(sequence);
      if (own !== undefined && own.key !== key) this.forkedAt(sequence);
      else if (own !== undefined) this.#agreedUpTo.set(peer, Math.max(this.#agreed(peer), sequence));
    }
    this.#isTold = true;
    // Who says the same again, as after every connection, does not prolong the wait.
    if (this.#settle === undefined || !this.#heardFrom.has(peer)) this.#settleSoon();
    this.#heardFrom.add(peer);
    return true;
  }

  /** A peer brought a message of the own feed that was not here. */
  received({ timestamp, sequence }: SignedValue): void {
    if (timestamp <= this.#startedMs) return; // written before this process: it comes back
    const at = new Date(timestamp).toISOString();
    this.#hold('cloned', { atLeast: sequence, detail: `message ${sequence} was written elsewhere at ${at}` });
  }

  /** There is another message than the one here, of the same number. */
  forkedAt(sequence: number): void {
    this.#hold('forked', { atLeast: sequence, detail: `there are two messages ${sequence}` });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#settle);
    clearTimeout(this.#patience);
  }

  #hold(reason: HoldReason, { atLeast, detail }: { atLeast: number; detail: string }): void {
    const before = this.#state.hold;
    if (before !== undefined && isForGood(before.reason)) return;
    const isNews = before === undefined || isForGood(reason);
    const hold: Hold = isNews
      ? { reason, sinceMs: this.#now(), atLeast, detail }
      : { ...before, atLeast: Math.max(before.atLeast, atLeast) };
    this.#change({ hold });
    if (isNews) this.#options.notice(holdText(hold));
    if (hold.reason === 'cloned') this.#options.onCloned();
  }

  #settleSoon(): void {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    const { hold } = this.#state;
    if (hold === undefined || isForGood(hold.reason) || !this.#isTold || this.#head < hold.atLeast) return;
    this.#settle = setTimeout(
      () => this.#release('all that others hold of it is here'),
      this.#options.settleMs ?? SETTLE_MS,
    );
    this.#settle.unref();
  }

  #release(why: string): void {
    const { hold } = this.#state;
    if (this.#isClosed || hold === undefined || isForGood(hold.reason)) return;
    this.#isTold = false;
    this.#heardFrom.clear();
    this.#settle = undefined;
    this.#change({ hold: undefined });
    this.#options.notice(`this machine writes its feed again, after message ${this.#head}: ${why}`);
    this.#options.onFree();
  }

  #change(change: Partial<OwnFeedState>): void {
    const { hold, ...state } = { ...this.#state, ...change };
    this.#state = hold === undefined ? state : { ...state, hold };
    this.#options.save(this.#state);
  }
}
