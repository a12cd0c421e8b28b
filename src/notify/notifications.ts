/**
 * Tells people what is wrong, as long as the daemon runs: looks at jobs and machines whenever something came, and when
 * something is due. Knows the peer only as what is handed in here.
 */
import { rmSync } from 'node:fs';
import { type NotifierConfig, patternOf } from '../config/notifiers.ts';
import { jobStates } from '../jobs/job-states.ts';
import { lastOutput } from '../jobs/last-output.ts';
import { type MachineFacts, machineFacts } from '../jobs/machine-facts.ts';
import type { Content } from '../message/content.ts';
import { MAX_NOTICE_EPISODES } from '../message/limits.ts';
import { hopsFrom } from '../store/hops.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { channelFor } from './channels/index.ts';
import { episodeOf, type MachineState, outlookOf } from './condition.ts';
import { type FoundLine, type Matcher, startMatcher } from './matcher.ts';
import type { Entry } from './memory.ts';
import { type Delivery, Notifier, type Standing } from './notifier.ts';
import { readRivals } from './rivals.ts';
import { type NotifyState, readNotifyState, writeNotifyState } from './state-file.ts';
import { mustRenew, type Rival, turnOf } from './turns.ts';
import { noticeOf } from './words.ts';

export interface NotificationsOptions {
  readonly notifiers: readonly NotifierConfig[];
  readonly self: { readonly id: string; readonly name: string };
  readonly storeFile: string;
  readonly stateFile: string;
  /** The machine's directory. */
  readonly dir: string;
  /** How far away a machine may be to be missed. */
  readonly hops: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Publishes on this machine's feed. */
  readonly publish: (contents: readonly Content[]) => Promise<void>;
  /** Who is connected now, and when machines last were, by feed id. */
  readonly presence: (store: Store) => Promise<Presence>;
  /** Calls when run records and the like have come. @returns a function that ends it */
  readonly onRecords: (listener: () => void) => () => void;
  readonly notice: (text: string) => void;
  readonly now?: () => number;
}

interface Presence {
  readonly connected: ReadonlySet<string>;
  readonly seen: ReadonlyMap<string, number>;
}

export interface Notifications {
  close(): Promise<void>;
}

/** Time that passes changes things as well, and so do lines that show that a machine is alive. */
const LOOK_EVERY_MS = 60_000;
/** Looking takes no more than a tenth of the time, and what comes together is looked at together. */
const SHORTEST_PAUSE_MS = 100;
const PAUSE_FACTOR = 10;
/** A machine that was off hears what others have told meanwhile before it tells anything itself. */
const SETTLE_MS = 60_000;
/** Of a run's output. */
const TAIL_LINES = 10;
/** Whoever cannot publish has told people all the same; others may tell it again. */
const MAX_UNPUBLISHED = 1000;

export function startNotifications(options: NotificationsOptions): Notifications {
  const service = new Service(options);
  service.start();
  return service;
}

class Service implements Notifications {
  readonly #options: NotificationsOptions;
  readonly #now: () => number;
  readonly #notifiers: Notifier[];
  readonly #patterns: readonly Notifier[];
  #store: Store;
  #matcher: Matcher | undefined;
  #row: number | null;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;
  #isLooking = false;
  #isWanted = false;
  #isClosed = false;
  #work: Promise<void> = Promise.resolve();
  /** When this machine began to look, or to look again after it was asleep. */
  #awakeSince: number;
  #lookedAt: number;
  /** Those who gave it up do not say that they are there either, until it does. */
  #isBack = true;
  #written = '';
  #saidNoPublish = false;
  /** To be published when that is possible. */
  #unpublished: Content[] = [];
  #isClaiming = false;
  #renewedAt = 0;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const state = readNotifyState(options.stateFile);
    this.#notifiers = options.notifiers.map(
      (config) => new Notifier(config, channelFor(config), state.notifiers[config.name]),
    );
    this.#patterns = this.#notifiers.filter(({ config }) => config.match !== undefined);
    this.#row = state.row;
    this.#store = openStore(options.storeFile, { readOnly: true });
    this.#awakeSince = this.#lookedAt = this.#now();
  }

  start(): void {
    this.#stopListening = this.#options.onRecords(() => this.#wake());
    if (this.#patterns.length > 0) this.#matcher = this.#startMatcher();
    this.#wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening?.();
    clearTimeout(this.#timer);
    for (const notifier of this.#notifiers) notifier.close();
    await Promise.all([this.#matcher?.close(), this.#work, ...this.#notifiers.map(({ idle }) => idle)]);
    this.#write();
    this.#store.close();
  }

  /** Looks as soon as it may. */
  #wake(): void {
    this.#isWanted = true;
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    clearTimeout(this.#timer);
    this.#work = this.#lookUntilDone();
  }

  async #lookUntilDone(): Promise<void> {
    const began = performance.now();
    this.#isWanted = false;
    let next: number | undefined;
    try {
      next = await this.#look();
    } catch (error) {
      // The daemon has more to do than to tell people.
      this.#options.notice(`notifications: ${(error as Error).message}`);
    }
    if (this.#isClosed) return;
    const pause = Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * (performance.now() - began));
    const wait = Math.min((next ?? Number.POSITIVE_INFINITY) - this.#now(), LOOK_EVERY_MS);
    const sleep = () => {
      this.#isLooking = false;
      if (this.#isWanted) this.#wake();
      else this.#timer = setTimeout(() => this.#wake(), Math.max(wait - pause, 0)).unref();
    };
    this.#timer = setTimeout(sleep, pause).unref();
  }

  /** @returns when to look again at the latest: milliseconds since the epoch */
  async #look(): Promise<number | undefined> {
    if (this.#store.isReplaced()) {
      this.#store.close();
      this.#store = openStore(this.#options.storeFile, { readOnly: true });
    }
    const { self } = this.#options;
    const store = this.#store;
    const now = this.#now();
    // It slept, or its clock was set: what others told meanwhile comes first.
    if (Math.abs(now - this.#lookedAt) > 2 * LOOK_EVERY_MS) {
      this.#awakeSince = now;
      this.#isBack = true;
    }
    this.#lookedAt = now;
    const { connected, seen } = await this.#options.presence(store);
    const facts = machineFacts(store, { self: self.id, now, seen });
    const jobs = jobStates(store, { self: self.id, now, seen });
    const machines = this.#machines(facts, connected);
    const times: (number | undefined)[] = jobs
      .flatMap(({ nextDue, deadline }) => [nextDue, deadline])
      .filter(isAhead(now));
    for (const notifier of this.#notifiers) {
      const outlook = outlookOf(notifier.config, { jobs, machines, now });
      const episodes = [...notifier.episodes, ...[...outlook.bad, ...outlook.good].map(({ episode }) => episode)];
      times.push(
        notifier.round(
          outlook,
          this.#standing(notifier.config, { facts, connected, episodes }),
          this.#delivery(notifier),
        ),
      );
    }
    this.#write();
    this.#speak(facts, connected);
    const ahead = times.filter((time) => time !== undefined);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  #machines(facts: MachineFacts, connected: ReadonlySet<string>): MachineState[] {
    const { self, hops } = this.#options;
    const now = this.#now();
    const near = hopsFrom(self.id, this.#store.contacts(), hops);
    return [...this.#store.clock()].flatMap(([id, sequence]) => {
      const heardAt = connected.has(id) ? now : facts.heardAt(id);
      if (id === self.id || !near.has(id) || heardAt === undefined) return [];
      return [{ id, name: facts.names.get(id) ?? id, sequence, heardAt }];
    });
  }

  #rivals(to: string, facts: MachineFacts, connected: ReadonlySet<string>): Rival[] {
    return readRivals(this.#store, to, { self: this.#options.self.id, facts, connected });
  }

  #standing(
    { to, takeover = SETTLE_MS }: NotifierConfig,
    {
      facts,
      connected,
      episodes,
    }: { facts: MachineFacts; connected: ReadonlySet<string>; episodes: readonly string[] },
  ): Standing {
    if (to === undefined) return { turn: 0, settledAt: 0, toldByOthers: () => undefined };
    const rivals = this.#rivals(to, facts, connected);
    const told = new Map<string, number>();
    for (const { author, episode, at } of this.#store.notices(to, episodes)) {
      if (!facts.trusted.has(author)) continue;
      told.set(episode, Math.max(told.get(episode) ?? 0, at - facts.clockOffset(author)));
    }
    return {
      turn: turnOf(this.#options.self.id, rivals, this.#now()),
      settledAt: rivals.length === 0 ? 0 : this.#awakeSince + Math.min(SETTLE_MS, takeover),
      toldByOthers: (episode) => told.get(episode),
    };
  }

  #delivery(notifier: Notifier): Delivery {
    const { self, environment, dir } = this.#options;
    const { to } = notifier.config;
    return {
      now: this.#now,
      deliver: async (entries, signal) => {
        const told = [];
        for (const entry of entries) told.push({ ...entry, tail: entries.length === 1 ? await this.#tail(entry) : [] });
        await notifier.send(noticeOf(told, { to, by: self, now: this.#now() }), { signal, environment, dir });
      },
      onTold: (entries) => {
        this.#write();
        if (to === undefined) return;
        const episodes = [...new Set(entries.map(({ episode }) => episode))];
        for (let first = 0; first < episodes.length; first += MAX_NOTICE_EPISODES)
          this.#publish({
            type: 'log-notice',
            kind: 'sent',
            to,
            at: this.#now(),
            episodes: episodes.slice(first, first + MAX_NOTICE_EPISODES),
          });
      },
      onDone: () => {
        this.#write();
        this.#wake();
      },
    };
  }

  async #tail({ event, subject }: Entry): Promise<string[]> {
    const { run, machine } = subject;
    if (run === undefined || event === 'recovered' || event === 'match') return [];
    return lastOutput(this.#store, { feed: machine.id, run }, TAIL_LINES);
  }

  /** Says on the feed whom this machine tells, where it has not been said, and what could not be said before. */
  #speak(facts: MachineFacts, connected: ReadonlySet<string>): void {
    if (this.#isClaiming) return;
    const { self, notifiers } = this.#options;
    const now = this.#now();
    const wanted = new Set(notifiers.flatMap(({ to }) => (to === undefined ? [] : [to])));
    const claimed = new Set(this.#store.claimsOf(self.id));
    const lastOwn = this.#store.lastMessages().get(self.id)?.made;
    const lastOwnMessageAt = Math.max(lastOwn ?? 0, this.#renewedAt);
    const isBack = this.#isBack;
    this.#isBack = false;
    for (const to of wanted) {
      const isNew = !claimed.has(to);
      const isStale = mustRenew(this.#rivals(to, facts, connected), { lastOwnMessageAt, isBack }, now);
      if (!isNew && (!isStale || now - this.#renewedAt < LOOK_EVERY_MS)) continue;
      this.#renewedAt = now;
      this.#queue({ type: 'log-notice', kind: 'claim', to, at: now });
    }
    for (const to of claimed) if (!wanted.has(to)) this.#queue({ type: 'log-notice', kind: 'release', to, at: now });
    // Not waited for: a machine that may not write its feed tells people all the same.
    void this.#flush();
    // Nobody is to be told anything any more, and the others know.
    if (this.#notifiers.length === 0 && claimed.size === 0) rmSync(this.#options.stateFile, { force: true });
  }

  #publish(content: Content): void {
    this.#queue(content);
    void this.#flush();
  }

  #queue(content: Content): void {
    const isThere = this.#unpublished.some((other) => other.type === 'log-notice' && isSameClaim(other, content));
    if (!isThere && this.#unpublished.length < MAX_UNPUBLISHED) this.#unpublished.push(content);
  }

  async #flush(): Promise<void> {
    if (this.#unpublished.length === 0 || this.#isClaiming) return;
    this.#isClaiming = true;
    const contents = [...this.#unpublished];
    try {
      await this.#options.publish(contents);
      this.#unpublished = this.#unpublished.slice(contents.length);
      this.#saidNoPublish = false;
    } catch (error) {
      if (!this.#saidNoPublish)
        this.#options.notice(`other machines could not be told what was told: ${(error as Error).message}`);
      this.#saidNoPublish = true; // tried again when it next looks
    } finally {
      this.#isClaiming = false;
    }
  }

  #write(): void {
    const state: NotifyState = {
      notifiers: Object.fromEntries(this.#notifiers.map(({ config, state: one }) => [config.name, one])),
      row: this.#row,
    };
    const text = JSON.stringify(state);
    if (text === this.#written || this.#notifiers.length === 0) return;
    try {
      writeNotifyState(this.#options.stateFile, state);
      this.#written = text;
    } catch (error) {
      this.#options.notice((error as Error).message);
    }
  }

  #startMatcher(): Matcher {
    const { storeFile, self, notice } = this.#options;
    const patterns = this.#patterns.map(({ config }) => {
      const { source = '', flags = '' } = patternOf(config) ?? {};
      return { source, flags, jobs: config.jobs, machines: config.machines };
    });
    return startMatcher({
      ...{ storeFile, self: self.id, afterRow: this.#row, patterns, notice },
      onWord: ({ row, found }) => {
        this.#row = row;
        for (const line of found) this.#found(line);
        if (found.length > 0) this.#wake();
      },
      onHung: (index) => {
        const notifier = this.#patterns[index];
        notifier?.setPatternProblem('it took more than 5 s with one line, and is off until the daemon starts again');
        notice(`the pattern of the notifier "${notifier?.config.name}" took too long with one line: it is off`);
        this.#write();
      },
    });
  }

  #found({ pattern, machine, feed, text, sequence, at, ...labels }: FoundLine): void {
    const notifier = this.#patterns[pattern];
    if (notifier === undefined) return;
    const { match = '' } = notifier.config;
    const episode = episodeOf('match', feed, labels.run ?? sequence, match);
    const subject = { machine: { id: feed, name: machine }, ...labels, started: at, lines: [text.slice(0, 1000)] };
    notifier.match({ key: `match ${episode}`, episode, event: 'match', subject }, this.#now());
  }
}

function isSameClaim(a: Content, b: Content): boolean {
  return a.type === 'log-notice' && b.type === 'log-notice' && a.kind !== 'sent' && a.kind === b.kind && a.to === b.to;
}

function isAhead(now: number): (time: number | null) => time is number {
  return (time): time is number => time !== null && time > now;
}
