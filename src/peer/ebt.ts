/**
 * ssb-ebt, with gaps closed that leave a feed unreplicated for as long as a connection lasts, and longer.
 *
 * - A peer that announces an empty feed before this machine follows it is never asked for it: what it has then equals
 *   what is here. In a chain of machines that are all running, that is the normal case. Here it is asked.
 * - A peer that does not replicate a feed says so, once. When it does later, it tells how far it is, but as this machine
 *   thinks that it has asked already, it never asks. Here a refusal counts as not asked.
 * - EBT takes a message for stored that was refused for a reason that is nobody's fault (the disk is full): from then
 *   on it tells others that this machine has it. Here it hears only of messages that were stored.
 * - What a peer said of a feed is remembered over connections ("I do not replicate it", "I have nothing of it"), and a
 *   feed of which both remember that is not mentioned again. Here every connection begins with a full exchange, which
 *   for the few feeds of a network of machines is one small message.
 * - What is no message and no note ended the process, and a feed named `__proto__` changed every object in it. Here
 *   frames are checked first, and who sends what is neither is not spoken with.
 * - A connection that a newer one with the same peer has replaced ends the newer one's replication when it closes. Here
 *   it ends once, when it is replaced.
 */
import { createRequire } from 'node:module';
import { getReceive, getSequence, note } from 'epidemic-broadcast-trees/v3.js';
import type { SignedValue } from '../message/signed.ts';
import { type Pauses, pauseFeeds } from './ebt-pause.ts';
import { isFeedId } from './engines/sqlite/validate.ts';
import { paceEbt } from './pace.ts';
import { requireAfresh } from './require-afresh.ts';
import type { EbtInstance, EbtOptions, EbtStream } from './ssb/ebt-types.ts';
import type { SsbPeer } from './ssb/types.ts';
import type { Traffic } from './traffic.ts';

/** Note on a feed that the peer does not want. */
const NOT_REPLICATED = -1;
const MAX_NOTE = 2 ** 31 - 1;
/** All that a peer names is remembered, for as long as it is connected. */
const MAX_NOTED_FEEDS = 20_000;

/** Who wants to know what peers say and bring. None of these may throw. */
export interface EbtWatcher {
  /** A peer says how far it has a feed. */
  heard(peer: string, feed: string, sequence: number): void;
  /** A message that a peer brought is in the record. */
  received(value: SignedValue, from: string): void;
  /** A message that a peer brought was not taken. It may be anything. */
  refused(value: unknown): void;
}

export interface Ebt {
  /** To be used instead of ssb-ebt's own. */
  readonly plugin: unknown;
  /** Leaves out machines that must not replicate: see access.ts. Call before the stack is made. */
  only(mayReplicate: (id: string) => boolean): void;
  /**
   * The highest sequence of a feed that a connected peer says it has; 0 when none knows the feed.
   * @param trusts whose word counts: anybody with the network key can claim any number
   */
  knownSequence(feed: string, trusts: (peer: string) => boolean): number;
  watch(watcher: EbtWatcher): void;
  /** Other feeds are paused than before. */
  pausesChanged(): void;
  /** Call before the database is closed: flume throws at who still asks it, and that ends the process. */
  close(): void;
}

const NO_PAUSES: Pauses = { isAnyPaused: false, isPaused: () => false };

/** @param pauses feeds of which nothing is taken now */
export function loadEbt(traffic: Traffic, pauses: Pauses = NO_PAUSES): Ebt {
  const require = createRequire(import.meta.url);
  const requireInside = createRequire(require.resolve('ssb-ebt'));
  const path = requireInside.resolve('epidemic-broadcast-trees');
  const original = requireInside(path) as (options: EbtOptions) => EbtInstance;
  const module = requireInside.cache[path];
  if (module === undefined) throw new Error('epidemic-broadcast-trees is not in the module cache');
  let instance: EbtInstance | undefined;
  let isClosed = false;
  let watcher: EbtWatcher | undefined;
  let pausesChanged = (): void => undefined;
  const bringers: Bringers = new WeakMap();
  const whileOpen =
    <A extends unknown[]>(call: (...args: A) => void) =>
    (...args: A): void => {
      if (!isClosed) call(...args);
    };
  // ssb-ebt offers no way to its instance: its plugin, loaded just after, takes this for the module that makes one.
  module.exports = (options: EbtOptions) => {
    const getAt = whileOpen<Parameters<EbtOptions['getAt']>>((pair, callback) =>
      options.getAt(pair, whileOpen(callback)),
    );
    const take = tellIfTaken(options.append, () => watcher, bringers);
    const append = whileOpen<Parameters<EbtOptions['append']>>((value, callback) => {
      if (!pauses.isPaused((value as SignedValue).author)) take(value, callback);
    });
    instance = mend(original({ ...options, ...FORGETFUL, getAt, append }), () => watcher, bringers);
    paceEbt(instance, traffic);
    pausesChanged = pauseFeeds(instance, pauses);
    return instance;
  };
  try {
    const plugin = requireAfresh(requireInside, requireInside.resolve('ssb-ebt')) as EbtPlugin;
    let mayReplicate = (_id: string) => true;
    return {
      plugin: {
        ...plugin,
        init: (peer: SsbPeer, config: object) =>
          plugin.init(
            dialled(peer, (id) => mayReplicate(id)),
            config,
          ),
      },
      only: (decide) => {
        mayReplicate = decide;
      },
      // NaN of a peer that sent a message before it said how far it is.
      knownSequence: (feed, trusts) => {
        const trusted = Object.entries(instance?.state.peers ?? {}).filter(([id]) => trusts(id));
        return Math.max(0, ...trusted.map(([, peer]) => peer.clock?.[feed] || 0));
      },
      pausesChanged: () => pausesChanged(),
      watch: (who) => {
        watcher = who;
      },
      close: () => {
        isClosed = true;
      },
    };
  } finally {
    module.exports = original;
  }
}

interface EbtPlugin {
  init(peer: SsbPeer, config: object): unknown;
}

/** ssb-ebt begins by itself with every machine that was dialled. */
function dialled(peer: SsbPeer, mayReplicate: (id: string) => boolean): SsbPeer {
  const on: SsbPeer['on'] = (event, listener) =>
    peer.on(event, (remote, isClient) => {
      if (event !== 'rpc:connect' || mayReplicate(remote.id)) listener(remote, isClient);
    });
  return Object.assign(Object.create(peer) as SsbPeer, { on });
}

const FORGETFUL: Pick<EbtOptions, 'getClock' | 'setClock'> = {
  getClock: (_peer, callback) => {
    setImmediate(callback, null, {}); // later, as from a file: the stream is not set up yet
  },
  setClock: () => undefined,
};

/** Who brought a message that is not decided on yet. */
type Bringers = WeakMap<object, string>;

/** ssb-ebt calls back with neither an error nor a message for a message that was refused but not invalid. */
function tellIfTaken(
  append: EbtOptions['append'],
  watcher: () => EbtWatcher | undefined,
  bringers: Bringers,
): EbtOptions['append'] {
  return (value, callback) =>
    append(value, (error, message) => {
      if (!error && message) watcher()?.received(value as SignedValue, bringers.get(value as SignedValue) ?? '');
      else watcher()?.refused(value);
      if (error || message) callback(error, message);
    });
}

function mend(ebt: EbtInstance, watcher: () => EbtWatcher | undefined, bringers: Bringers): EbtInstance {
  const request = ebt.request;
  ebt.request = function (feed, follows) {
    const isNew = follows !== false && !ebt.state.follows[feed];
    request.call(this, feed, follows);
    if (isNew) askWhoHasNothing(ebt, feed);
  };
  const createStream = ebt.createStream;
  ebt.createStream = function (peer, version, isClient) {
    const stream = createStream.call(this, peer, version, isClient);
    endOnce(stream);
    const write = stream.write;
    const noted = new Set<string>();
    stream.write = function (data) {
      if (this.ended) return; // on its way when a newer connection took its place
      const frame = readFrame(data);
      for (const [feed] of frame?.notes ?? []) noted.add(feed);
      if (frame === undefined || noted.size > MAX_NOTED_FEEDS) {
        // biome-ignore lint/suspicious/noConsole: as its library says it, for what peers cause must not flood the journal
        console.error(`replication with ${peer} is ended: it sent ${frame ? 'notes on too many feeds' : 'no message'}`);
        this.abort(new Error('not understood'));
        return;
      }
      if (frame.message !== undefined) bringers.set(frame.message, peer);
      write.call(this, frame.message ?? Object.fromEntries(frame.notes));
      for (const [feed, encoded] of frame.notes) {
        if (encoded === NOT_REPLICATED) noteRefusal(ebt, peer, feed);
        else watcher()?.heard(peer, feed, getSequence(encoded));
      }
    };
    return stream;
  };
  return ebt;
}

function endOnce(stream: EbtStream): void {
  const { end } = stream;
  let isOver = false;
  stream.end = function (error) {
    if (isOver) return;
    isOver = true;
    end.call(this, error);
  };
  stream.abort = stream.end;
}

interface Frame {
  readonly message?: object;
  /** By feed; encoded. */
  readonly notes: readonly (readonly [feed: string, encoded: number])[];
}

/**
 * @param data what a peer sent: a message, or notes by feed (in later versions of the protocol under `clock`)
 * @returns undefined when it is neither; of notes those that can be meant
 */
function readFrame(data: unknown): Frame | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data) || Buffer.isBuffer(data)) return undefined;
  const { author, sequence, content, clock } = data as Record<string, unknown>;
  if (author !== undefined) {
    const isMessage = isFeedId(author) && Number.isInteger(sequence) && Number(sequence) > 0 && Boolean(content);
    return isMessage ? { message: data, notes: [] } : undefined;
  }
  const entries = Object.entries(typeof clock === 'object' && clock !== null ? clock : data);
  return { notes: entries.filter((entry): entry is [string, number] => isFeedId(entry[0]) && isNote(entry[1])) };
}

/** EBT calculates with 32 bits. */
function isNote(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= NOT_REPLICATED && Number(value) <= MAX_NOTE;
}

function noteRefusal(ebt: EbtInstance, peer: string, feed: string): void {
  const state = ebt.state.peers[peer]?.replicating?.[feed];
  if (state !== undefined) state.rx = false;
}

function askWhoHasNothing(ebt: EbtInstance, feed: string): void {
  const { state } = ebt;
  const have = state.clock?.[feed] ?? 0;
  let isAsked = Object.values(state.peers).some((peer) => {
    const noted = peer.notes?.[feed];
    return (noted !== undefined && noted !== -1 && getReceive(noted)) || peer.replicating?.[feed]?.rx === true;
  });
  for (const [id, peer] of Object.entries(state.peers)) {
    if (!peer.clock || !peer.replicating || state.blocks[feed]?.[id]) continue;
    if (peer.clock[feed] !== have) continue; // the others have been asked, or have said that they do not replicate it
    // It told of the feed, so it wants it too: what comes here goes there.
    peer.replicating[feed] = { tx: true, rx: !isAsked, sent: have, requested: have };
    peer.notes = { ...peer.notes, [feed]: note(have, !isAsked) };
    isAsked = true;
  }
  ebt.update();
}
