/**
 * Who follows and who blocks whom, drawn from contact messages: which feeds are replicated, who is let in. It stands
 * in for ssb-friends, with its name and methods, on the store's contacts instead of a view of flume, so that it is the
 * same on every engine.
 */
import createLayeredGraph from 'layered-graph';
import { parseContent } from '../message/content.ts';
import type { SignedMessage } from '../message/signed.ts';
import type { Contact } from '../store/store.ts';
import { iterate } from './pull.ts';
import type { Graph, Hops, LayeredGraph } from './ssb/graph-types.ts';
import type { Callback, Hookable, PullSource } from './ssb/types.ts';

/** An edge's value: how near, or how far from wanted. */
const FOLLOWS = 1;
const BLOCKS = -1;
const NEITHER = -2;

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

export interface FollowGraph {
  readonly plugin: unknown;
  /** Gives it the contacts of all messages that there are; until then it lets nobody in. Later ones it sees itself. */
  load(contacts: readonly Contact[]): void;
}

/** @param maxHops how far from this machine a feed may be to be replicated */
export function followGraph(maxHops: number): FollowGraph {
  let load: FollowGraph['load'] = () => {
    throw new Error('the stack is made first');
  };
  return {
    plugin: {
      name: 'friends',
      version: '1.0.0',
      manifest: MANIFEST,
      permissions: {},
      init: (stack: Stack) => {
        const graph = createLayeredGraph({ max: maxHops, start: stack.id }) as LayeredGraph;
        load = follow(stack, graph);
        return methods(graph);
      },
    },
    load: (contacts) => load(contacts),
  };
}

function follow(stack: Stack, graph: LayeredGraph): FollowGraph['load'] {
  const layer = graph.createLayer('contacts');
  /** Seen before the contacts that were stored were loaded. */
  const early: Graph = {};
  let isLoaded = false;

  stack.post(({ value }) => {
    const edge = edgeOf(value);
    if (edge === undefined) return;
    const [from, to, weight] = edge;
    if (isLoaded) layer(from, to, weight);
    else set(early, from, to, weight);
  }, false);

  stack.auth.hook(function (original, args) {
    const [id, callback] = args as [string, Callback];
    graph.onReady(() => {
      if (isBlocking(graph, { source: stack.id, dest: id })) callback(new Error('client is blocked'));
      else original.apply(this, args as Parameters<typeof original>);
    });
  });

  void requestFeeds(stack, graph);

  graph.onEdge((from, to, weight) => stack.replicate.block(from, to, weight === BLOCKS));
  return (contacts) => {
    const edges: Graph = {};
    for (const { from, to, following, blocking } of contacts)
      set(edges, from, to, blocking ? BLOCKS : following ? FOLLOWS : NEITHER);
    for (const [from, targets] of Object.entries(early)) {
      for (const [to, weight] of Object.entries(targets)) set(edges, from, to, weight);
    }
    isLoaded = true;
    layer(edges);
    for (const [from, targets] of Object.entries(edges)) {
      for (const [to, weight] of Object.entries(targets)) if (weight === BLOCKS) stack.replicate.block(from, to, true);
    }
  };
}

/** For as long as the peer lives: a follow takes effect at once. */
async function requestFeeds(stack: Stack, graph: LayeredGraph): Promise<void> {
  for await (const changes of iterate(graph.hopStream({ live: true, old: true }))) {
    for (const [feed, hops] of Object.entries(changes)) stack.replicate.request(feed, hops >= 0);
  }
}

function set(graph: Graph, from: string, to: string, weight: number): void {
  let targets = graph[from];
  if (targets === undefined) {
    targets = {};
    graph[from] = targets;
  }
  targets[to] = weight;
}

/** What a contact message says; undefined when it is none, or says nothing of following or blocking. */
function edgeOf({ author, content }: SignedMessage['value']): [from: string, to: string, weight: number] | undefined {
  const parsed = parseContent(content);
  if (parsed.kind !== 'known' || parsed.content.type !== 'contact') return undefined;
  const { contact, following, blocking } = parsed.content;
  if (following === undefined && blocking === undefined) return undefined;
  return [author, contact, blocking ? BLOCKS : following ? FOLLOWS : NEITHER];
}

function methods(graph: LayeredGraph): object {
  const whenReady = <T>(callback: Callback<T>, answer: () => T) => graph.onReady(() => callback(null, answer()));
  return {
    hopStream: graph.hopStream,
    onEdge: graph.onEdge,
    createLayer: graph.createLayer,
    isFollowing: (pair: Pair, callback: Callback<boolean>) =>
      whenReady(callback, () => (graph.getGraph()[pair.source]?.[pair.dest] ?? NEITHER) >= 0),
    isBlocking: (pair: Pair, callback: Callback<boolean>) => whenReady(callback, () => isBlocking(graph, pair)),
    hops: (options: object | Callback<Hops>, callback?: Callback<Hops>) => {
      if (typeof options === 'function') whenReady(options as Callback<Hops>, () => graph.getHops({}));
      else whenReady(callback as Callback<Hops>, () => graph.getHops(options));
    },
    get: (options: Partial<Pair> | Callback, callback?: Callback) => {
      const [pair, done] = typeof options === 'function' ? [{}, options] : [options, callback as Callback];
      whenReady(done as Callback, () => select(graph.getGraph(), pair));
    },
    createFriendStream: (options: { live?: boolean; old?: boolean; meta?: boolean } = {}) =>
      friendStream(graph, options),
  };
}

function isBlocking(graph: LayeredGraph, { source, dest }: Pair): boolean {
  return Math.round(graph.getGraph()[source]?.[dest] ?? NEITHER) === BLOCKS;
}

/** The older way to say it: true follows, false blocks, null neither. */
function relation(weight: number | undefined): boolean | null {
  if (weight === undefined) return null;
  if (weight >= 0) return true;
  return weight === BLOCKS ? false : null;
}

type Relations = Record<string, boolean | null>;

function relations(targets: Record<string, number> = {}): Relations {
  return Object.fromEntries(Object.entries(targets).map(([id, weight]) => [id, relation(weight)]));
}

function allRelations(graph: Graph): Record<string, Relations> {
  return Object.fromEntries(Object.entries(graph).map(([from, targets]) => [from, relations(targets)]));
}

function select(graph: Graph, { source, dest }: Partial<Pair>): unknown {
  if (source !== undefined && dest !== undefined) return relation(graph[source]?.[dest]);
  if (source !== undefined) return relations(graph[source]);
  if (dest === undefined) return allRelations(graph);
  const known = Object.entries(graph).filter(([, targets]) => targets[dest] !== undefined);
  return Object.fromEntries(known.map(([from, targets]) => [from, relation(targets[dest])]));
}

/** Feeds as they come within the hops. */
function friendStream(
  graph: LayeredGraph,
  options: { live?: boolean; old?: boolean; meta?: boolean },
): PullSource<unknown> {
  const source = graph.hopStream({ live: options.live === true, old: options.old !== false });
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
