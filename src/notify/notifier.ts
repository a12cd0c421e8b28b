/** One notifier: what it remembers, when it sends, and what becomes of an attempt that fails. */
import { DEFAULT_TAKEOVER_MS, DEFAULT_TIMEOUT_MS, type NotifierConfig } from '../config/notifiers.ts';
import type { Send } from './channels/channel.ts';
import type { Condition, Outlook } from './condition.ts';
import {
  addMatch,
  dueEntries,
  type Entries,
  type Entry,
  hold,
  markTold,
  nextDeadline,
  type Rules,
  update,
} from './memory.ts';
import { isQuiet } from './quiet-hours.ts';
import { NEW_NOTIFIER, type NotifierState } from './state-file.ts';

export const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** More in an hour are told as one when it is over: a phone that never stops is turned off. */
const MAX_AN_HOUR = 20;
const HOUR_MS = 3_600_000;

/** More at a time are told as one. */
const MAX_AT_ONCE = 3;

/** What the machines that tell the same person have said. */
export interface Standing {
  /** How many others have their turn before this machine. */
  readonly turn: number;
  /** What others told may still be on its way until then: milliseconds since the epoch. */
  readonly settledAt: number;
  readonly toldByOthers: (episode: string) => number | undefined;
}

export interface Delivery {
  /** @returns once it was taken; throws where that is not certain */
  readonly deliver: (entries: readonly Entry[], signal: AbortSignal) => Promise<void>;
  readonly onTold: (entries: readonly Entry[]) => void;
  /** Called when an attempt ended, whatever came of it. */
  readonly onDone: () => void;
  readonly now: () => number;
}

export class Notifier {
  readonly config: NotifierConfig;
  readonly send: Send;
  #state: NotifierState;
  #entries: Entries;
  #isNew: boolean;
  #attempt: AbortController | undefined;
  /** Settles when no attempt is under way. */
  idle: Promise<void> = Promise.resolve();

  /** @param state undefined when it has never told anything */
  constructor(config: NotifierConfig, send: Send, state: NotifierState | undefined) {
    this.config = config;
    this.send = send;
    this.#isNew = state === undefined;
    this.#state = { ...(state ?? NEW_NOTIFIER), patternProblem: null };
    this.#entries = new Map(this.#state.entries.map((entry) => [entry.key, entry]));
  }

  get state(): NotifierState {
    return { ...this.#state, entries: [...this.#entries.values()] };
  }

  get episodes(): string[] {
    return [...this.#entries.values()].map(({ episode }) => episode);
  }

  setPatternProblem(patternProblem: string): void {
    this.#state = { ...this.#state, patternProblem };
  }

  match(condition: Condition, now: number): void {
    this.#entries = addMatch(this.#entries, condition, now);
  }

  /** Looks at how things are, and begins to send what is due. @returns when to look again at the latest */
  round(outlook: Outlook, standing: Standing, delivery: Delivery): number | undefined {
    const now = delivery.now();
    const { config } = this;
    const rules: Rules = {
      now,
      repeatMs: config.repeat,
      isQuiet: isQuiet(config.quiet, now),
      waitMs: standing.turn * (config.takeover ?? DEFAULT_TAKEOVER_MS),
      notBefore: standing.settledAt,
      toldByOthers: standing.toldByOthers,
    };
    this.#entries = update(this.#entries, outlook, rules);
    // What has been wrong for long is not news one by one.
    if (this.#isNew)
      this.#entries = new Map([...this.#entries].map(([key, entry]) => [key, { ...entry, isHeld: true }]));
    this.#isNew = false;
    if (this.#attempt !== undefined) return undefined;
    const recent = this.#state.recent.filter((at) => at > now - HOUR_MS && at <= now);
    this.#state = { ...this.#state, recent, nextTryAt: Math.min(this.#state.nextTryAt, now + LONGEST_PAUSE_MS) };
    const isOverLimit = recent.length >= MAX_AN_HOUR;
    if (rules.isQuiet || isOverLimit) {
      this.#entries = hold(this.#entries, rules);
      return undefined;
    }
    const due = dueEntries(this.#entries, rules);
    if (due.length > 0 && now >= this.#state.nextTryAt) {
      this.idle = this.#sendAll(groups(due), delivery);
      return undefined;
    }
    const deadline = nextDeadline(this.#entries, rules);
    return deadline === undefined ? undefined : Math.max(deadline, standing.settledAt, this.#state.nextTryAt);
  }

  close(): void {
    this.#attempt?.abort();
  }

  async #sendAll(all: readonly (readonly Entry[])[], { deliver, onTold, onDone, now }: Delivery): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    try {
      for (const entries of all) {
        const timer = setTimeout(() => attempt.abort(), this.config.timeout ?? DEFAULT_TIMEOUT_MS);
        try {
          await deliver(entries, attempt.signal);
        } finally {
          clearTimeout(timer);
        }
        this.#succeeded(entries, now());
        onTold(entries);
      }
    } catch (error) {
      this.#failed(error as Error, now());
    } finally {
      this.#attempt = undefined;
      onDone();
    }
  }

  #succeeded(entries: readonly Entry[], now: number): void {
    this.#entries = markTold(this.#entries, entries, now);
    const recent = [...this.#state.recent, now];
    const well = { failures: 0, failingSince: null, lastError: null, nextTryAt: 0 };
    this.#state = { ...this.#state, ...well, recent, lastSentAt: now };
  }

  #failed({ message }: Error, now: number): void {
    const failures = this.#state.failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    const failingSince = this.#state.failingSince ?? now;
    this.#state = { ...this.#state, failures, failingSince, lastError: message, nextTryAt: now + pause };
  }
}

/** What is sent as one message each. */
function groups(due: readonly Entry[]): (readonly Entry[])[] {
  if (due.length > MAX_AT_ONCE) return [due];
  const held = due.filter(({ isHeld }) => isHeld);
  return [...(held.length > 0 ? [held] : []), ...due.filter(({ isHeld }) => !isHeld).map((entry) => [entry])];
}
