/**
 * Which feeds are replicated and who is let in, drawn from contact messages. It stands in for ssb-friends, with its
 * name and methods, on the store's contacts instead of a view of flume: the same on every engine. Unlike ssb-friends
 * it lets go at once of feeds that were reached only through one that is not followed any more.
 */
import { parseContent, relationOf } from '../message/content.ts';
import type { SignedMessage } from '../message/signed.ts';
import type { Contact } from '../store/store.ts';
import { iterate } from './pull.ts';
import { Relations } from './relations.ts';
import type { Callback, Hookable, PullSource } from './ssb/types.ts';

const MANIFEST = {
  hopStream: 'source',
  isFollowing: 'async',
  isBlocking: 'async',
  hops: 'async',
  get: 'async',
  createFriendStream: 'source',
} as const;

/** What the plugin calls of its stack. */
interface Stack {
  readonly id: string;
  readonly auth: Hookable<(id: string, callback: Callback) => void>;
  readonly replicate: {
    request(feed: string, isWanted: boolean): void;
    block(from: string, to: string, isBlocking: boolean): void;
  };
  post(listener: (message: SignedMessage) => void, immediately: false): () => void;
}

interface Pair {
  readonly source: string;
  readonly dest: string;
}

interface HopStreamOptions {
  readonly live?: boolean;
  readonly old?: boolean;
}

export interface FollowGraph {
  readonly plugin: unknown;
  /** Gives it the contacts of all messages that there are; until then it lets nobody in. Later ones it sees itself. */
  load(contacts: readonly Contact[]): void;
  /** Whether the feed is within the hops and not blocked. */
  isWanted(feed: string): boolean;
  isBlocked(id: string): boolean;
  isFollowed(id: string): boolean;
  /** What this machine says of others. */
  ownContacts(): Contact[];
  /** This machine itself is within. */
  isWithinHops(id: string): boolean;
  /** Calls whenever somebody came within the hops, left them, or was blocked. @returns a function that stops it */
  onChange(listener: () => void): () => void;
}

/** @param maxHops how far from this machine a feed may be to be replicated */
export function followGraph(maxHops: number): FollowGraph {
  let load: FollowGraph['load'] = () => {
    throw new Error('the stack is made first');
  };
  let isWanted: FollowGraph['isWanted'] = () => false;
  let self = '';
  let graph: Relations | undefined;
  return {
    plugin: {
      name: 'friends',
      version: '1.0.0',
      manifest: MANIFEST,
      permissions: {},
      init: (stack: Stack) => {
        const relations = new Relations(stack.id, maxHops);
        self = stack.id;
        graph = relations;
        load = (contacts) => start(stack, relations, contacts);
        isWanted = (feed) => (relations.hops.get(feed) ?? -1) >= 0;
        watchContacts(stack, relations);
        refuseBlocked(stack, relations);
        return methods(relations);
      },
    },
    load: (contacts) => load(contacts),
    isWanted: (feed) => isWanted(feed),
    isBlocked: (id) => graph?.get(self, id)?.blocking ?? false,
    isFollowed: (id) => graph?.get(self, id)?.following ?? false,
    ownContacts: () => [...(graph?.all() ?? [])].filter(({ from }) => from === self),
    isWithinHops: (id) => (graph?.hops.get(id) ?? -1) >= 0,
    onChange: (listener) => {
      let stop = (): void => undefined;
      const wait = () => {
        stop = graph?.onceChanged(onChange) ?? stop;
      };
      const onChange = () => {
        wait();
        listener();
      };
      wait();
      return () => stop();
    },
  };
}

function start(stack: Stack, relations: Relations, contacts: readonly Contact[]): void {
  relations.load(contacts);
  for (const { from, to, blocking } of relations.all()) if (blocking) stack.replicate.block(from, to, true);
  void requestFeeds(stack, relations);
}

function watchContacts(stack: Stack, relations: Relations): void {
  stack.post(({ value }) => {
    const parsed = parseContent(value.content);
    if (parsed.kind !== 'known' || parsed.content.type !== 'contact') return;
    const relation = relationOf(parsed.content);
    if (relation === undefined) return;
    const { contact: to } = parsed.content;
    relations.set({ from: value.author, to, ...relation });
    stack.replicate.block(value.author, to, relation.blocking);
  }, false);
}

function refuseBlocked(stack: Stack, relations: Relations): void {
  stack.auth.hook(function (original, args) {
    const [id, callback] = args as [string, Callback];
    relations.whenReady(() => {
      if (isBlocking(relations, { source: stack.id, dest: id })) callback(new Error('client is blocked'));
      else original.apply(this, args as Parameters<typeof original>);
    });
  });
}

/** For as long as the peer lives: a follow takes effect at once. */
async function requestFeeds(stack: Stack, relations: Relations): Promise<void> {
  for await (const changes of iterate(hopStream(relations, { live: true }))) {
    for (const [feed, hops] of Object.entries(changes)) stack.replicate.request(feed, hops >= 0);
  }
}

function methods(relations: Relations): object {
  const answer = <T>(callback: Callback<T>, value: () => T) => relations.whenReady(() => callback(null, value()));
  return {
    hopStream: (options: HopStreamOptions = {}) => hopStream(relations, options),
    isFollowing: ({ source, dest }: Pair, callback: Callback<boolean>) =>
      answer(callback, () => relations.get(source, dest)?.following ?? false),
    isBlocking: (pair: Pair, callback: Callback<boolean>) => answer(callback, () => isBlocking(relations, pair)),
    hops: (options: unknown, callback?: Callback) =>
      answer((callback ?? options) as Callback, () => Object.fromEntries(relations.hops)),
    get: (options: Partial<Pair> | Callback | null, callback?: Callback) => {
      const [pair, done] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback as Callback];
      answer(done as Callback, () => select([...relations.all()], pair));
    },
    createFriendStream: (options: HopStreamOptions & { meta?: boolean } = {}) => friendStream(relations, options),
  };
}

function isBlocking(relations: Relations, { source, dest }: Pair): boolean {
  return relations.get(source, dest)?.blocking ?? false;
}

/** All hops there are, then what changes: the difference to what this reader has read, so that nothing is queued. */
function hopStream(
  relations: Relations,
  { live = false, old = true }: HopStreamOptions,
): PullSource<Record<string, number>> {
  const known = new Map<string, number>();
  let isFirst = true;
  let isOver: Error | true | undefined;
  let stopWaiting: ((abort: Error | true) => void) | undefined;

  return function read(abort, callback): void {
    if (abort) {
      isOver ??= abort;
      stopWaiting?.(isOver);
    }
    if (isOver !== undefined) {
      callback(isOver);
      return;
    }
    const next = () => {
      const changes = relations.changesSince(known);
      const isSkipped = isFirst && !old;
      if (!live && !isFirst) isOver = true;
      isFirst = false;
      if (isOver !== undefined) callback(isOver);
      else if (changes.size > 0 && !isSkipped) callback(null, Object.fromEntries(changes));
      else if (!live) read(null, callback);
      else wait();
    };
    const wait = () => {
      const stop = relations.onceChanged(next);
      stopWaiting = (reason) => {
        stop();
        stopWaiting = undefined;
        callback(reason);
      };
    };
    relations.whenReady(next);
  };
}

/** Feeds as they come within the hops. */
function friendStream(relations: Relations, options: HopStreamOptions & { meta?: boolean }): PullSource<unknown> {
  const source = hopStream(relations, options);
  let waiting: unknown[] = [];
  let isFirst = true;
  return function read(abort, callback): void {
    if (!abort && waiting.length > 0) {
      callback(null, waiting.shift());
      return;
    }
    source(abort, (end, changes) => {
      if (end) {
        callback(end);
        return;
      }
      waiting = Object.entries(changes ?? {})
        .filter(([, hops]) => !isFirst || hops >= 0)
        .map(([id, hops]) => (options.meta ? { id, hops } : id));
      isFirst = false;
      read(null, callback);
    });
  };
}

/** ssb-friends' older way to say it: true follows, false blocks, null neither. */
function relation(contact: Contact | undefined): boolean | null {
  if (contact?.following) return true;
  return contact?.blocking ? false : null;
}

function select(contacts: readonly Contact[], { source, dest }: Partial<Pair>): unknown {
  const found = contacts.filter(({ from, to }) => (source ?? from) === from && (dest ?? to) === to);
  if (source !== undefined && dest !== undefined) return relation(found[0]);
  const relations = (some: readonly Contact[], name: (contact: Contact) => string) =>
    Object.fromEntries(some.map((contact) => [name(contact), relation(contact)]));
  if (source !== undefined) return relations(found, ({ to }) => to);
  if (dest !== undefined) return relations(found, ({ from }) => from);
  const authors = new Set(found.map(({ from }) => from));
  const saidBy = (author: string) => found.filter(({ from }) => from === author);
  return Object.fromEntries([...authors].map((author) => [author, relations(saidBy(author), ({ to }) => to)]));
}
