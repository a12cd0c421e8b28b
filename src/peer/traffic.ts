/**
 * What a connection may cost. muxrpc takes frames of up to 4 GB and any number of calls, and keeps all that the other
 * side does not take. Here frames and open calls have a limit, and what waits to be sent is counted, so that whoever
 * has much to send can wait (pace.ts). Who goes beyond is hung up on, and strangers are read slowly (stranger-pace.ts).
 * This machine's own command line has no limits.
 */

import { dirname, join } from 'node:path';
import { type Codec, type CodecLibrary, frameCodec, type Packet } from './frame-codec.ts';
import { guardFrames } from './frame-guard.ts';
import { type SendQueue, sendQueue } from './send-queue.ts';
import { requireOf } from './ssb/stock.ts';
import type { PullSource, RemotePeer, SsbPeer } from './ssb/types.ts';
import { pacedReads, type StrangerPace } from './stranger-pace.ts';

/** A message has up to 24 KB (8192 UTF-16 units); notes on as many feeds as ebt.ts takes have 1.3 MB. */
const MAX_FRAME_BYTES = 2_000_000;
/** Peers that know no EBT have one for each feed. */
const MAX_OPEN_CALLS = 512;
/** What may wait for a machine before whoever sends to it waits, until half of it is taken. */
const PAUSE_BYTES = 1_000_000;
/** What may wait for all together; then each may have a little only. */
const SHARED_BYTES = 64_000_000;
const LITTLE_BYTES = 64_000;
/** Answers to calls cannot wait. Nobody who reads comes near it. */
const MAX_UNSENT_BYTES = 16_000_000;

/** A connection that has ended may still send what waits for so long. */
const LINGER_MS = 10_000;

const LIMITS = {
  maxFrameBytes: MAX_FRAME_BYTES,
  maxOpenCalls: MAX_OPEN_CALLS,
  pauseBytes: PAUSE_BYTES,
  sharedBytes: SHARED_BYTES,
  littleBytes: LITTLE_BYTES,
  maxUnsentBytes: MAX_UNSENT_BYTES,
};
export type TrafficLimits = typeof LIMITS;

interface LimitedCodec {
  readonly codec: Codec;
  /** Bytes that wait for a connection that has ended count no more. */
  closed(): void;
  unsentBytes(): number;
}

export class Traffic {
  readonly #limits: TrafficLimits;
  readonly #pace: StrangerPace | undefined;
  readonly #unsent = new Map<string, number>();
  readonly #full = new Set<string>();
  readonly #listeners: ((id: string) => void)[] = [];
  #total = 0;

  /** @param pace how fast machines are read; without it, as fast as they send */
  constructor(limits: Partial<TrafficLimits> = {}, pace?: StrangerPace) {
    this.#limits = { ...LIMITS, ...limits };
    this.#pace = pace;
  }

  /** Whether so much waits for a machine that more should not be sent. Then it is told when that has changed. */
  isFull(id: string): boolean {
    if (this.#full.has(id)) return true;
    if ((this.#unsent.get(id) ?? 0) <= this.#pauseBytes()) return false;
    this.#full.add(id);
    return true;
  }

  /** Calls with the id of a machine that was full and is no more. */
  onDrained(listener: (id: string) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * @param id whom the connection is with
   * @param over called once, with why the connection must end
   */
  limit(codec: Codec, id: string, over: (reason: string) => void): LimitedCodec {
    const { maxFrameBytes, maxOpenCalls, maxUnsentBytes } = this.#limits;
    const calls = new Set<number>();
    let queue: SendQueue | undefined;
    let isClosed = false;
    let isOver = false;
    const end = (reason: string) => {
      if (isOver) return;
      isOver = true;
      // Not in the midst of what is being read or sent.
      setImmediate(over, reason);
    };
    const came = ({ req, end: isEnd }: Packet) => {
      if (req > 0 && !isEnd) calls.add(req);
      if (calls.size > maxOpenCalls) end(`it has more than ${maxOpenCalls} calls open`);
    };
    const went = ({ req, stream, end: isEnd }: Packet) => {
      if (req < 0 && (isEnd || !stream)) calls.delete(-req);
    };
    const changed = (bytes: number) => {
      if (isClosed) return;
      this.#change(id, bytes);
      if (queue !== undefined && queue.bytes > maxUnsentBytes) end('it does not read what it asked for');
    };
    return {
      codec: (packets, debug) => {
        const sink = (read: PullSource<unknown>) => packets.sink(watched(read, came));
        const wire = codec({ source: watched(packets.source, went), sink }, debug);
        queue = sendQueue(wire.source, changed);
        const refuse = (length: number) => end(`it sent a frame of ${length} bytes`);
        return {
          ...wire,
          source: queue.source,
          sink: (read) => wire.sink(guardFrames(this.#paced(read, id), maxFrameBytes, refuse)),
        };
      },
      closed: () => {
        changed(-(queue?.bytes ?? 0));
        isClosed = true;
      },
      unsentBytes: () => queue?.bytes ?? 0,
    };
  }

  #paced(read: PullSource<Buffer>, id: string): PullSource<Buffer> {
    return this.#pace === undefined ? read : pacedReads(read, id, this.#pace);
  }

  #pauseBytes(): number {
    const { pauseBytes, sharedBytes, littleBytes } = this.#limits;
    return this.#total > sharedBytes ? littleBytes : pauseBytes;
  }

  #change(id: string, bytes: number): void {
    const unsent = (this.#unsent.get(id) ?? 0) + bytes;
    this.#total += bytes;
    if (unsent > 0) this.#unsent.set(id, unsent);
    else this.#unsent.delete(id);
    if (bytes > 0 || unsent > this.#pauseBytes() / 2 || !this.#full.delete(id)) return;
    for (const listener of this.#listeners) listener(id);
  }
}

/** @param see gets each packet that is no goodbye */
function watched(read: PullSource<unknown>, see: (packet: Packet) => void): PullSource<unknown> {
  return (abort, callback) =>
    read(abort, (end, packet) => {
      if (!end && typeof packet === 'object' && packet !== null) see(packet as Packet);
      callback(end, packet);
    });
}

type Muxrpc = (...args: unknown[]) => unknown;

type Rpc = Pick<RemotePeer, 'close' | 'once' | 'stream'>;

interface Limited {
  readonly traffic: Traffic;
  readonly destroy: (address: string) => void;
}

/** By secret-stack's object of a peer. */
const limitedPeers = new WeakMap<object, Limited>();

/**
 * Counts and limits a peer's connections from now on.
 * @param destroy ends the connection with this address: closing it in order waits until the other side reads
 */
export function limitTraffic(peer: SsbPeer, traffic: Traffic, destroy: (address: string) => void): void {
  limitedPeers.set(peer, { traffic, destroy });
}

/**
 * secret-stack offers no way to its connections before they begin: it is given a muxrpc that looks for the limits of
 * the peer. Call before secret-stack is loaded.
 */
export function prepareTraffic(): void {
  const server = requireOf('ssb-server');
  const core = join(dirname(server.resolve('secret-stack')), 'core.js');
  const require = requireOf('secret-stack', server);
  const path = require.resolve('muxrpc');
  const original = require(path) as Muxrpc & { limited?: true };
  if (original.limited) return;
  if (require.cache[core] !== undefined) throw new Error('secret-stack is loaded already');
  const ofMuxrpc = requireOf('muxrpc', require);
  const library = ofMuxrpc('packet-stream-codec') as CodecLibrary;
  const codec = frameCodec(library, requireOf('packet-stream-codec', ofMuxrpc)('pull-reader'));
  const limited: Muxrpc & { limited?: true } = (...args) => {
    const [, , peer, id] = args as [unknown, unknown, SsbPeer, string];
    const limits = limitedPeers.get(peer);
    const withCodec = (one: Codec) => original(...args.slice(0, 5), one, ...args.slice(6)) as Rpc;
    if (limits === undefined || id === peer.id) return withCodec(codec);
    const { traffic, destroy } = limits;
    const limit = traffic.limit(codec, id, (reason) => {
      // biome-ignore lint/suspicious/noConsole: as its libraries say it, for what peers cause must not flood the journal
      console.error(`the connection with ${id} is ended: ${reason}`);
      rpc.close(true, () => undefined);
      destroy(rpc.stream.address);
    });
    const rpc = withCodec(limit.codec);
    rpc.once('closed', () => {
      limit.closed();
      if (limit.unsentBytes() === 0) return;
      const timer = setTimeout(() => {
        if (limit.unsentBytes() > 0) destroy(rpc.stream.address);
      }, LINGER_MS);
      timer.unref();
    });
    return rpc;
  };
  limited.limited = true;
  const module = require.cache[path];
  if (module === undefined) throw new Error('muxrpc is not in the module cache');
  module.exports = limited;
}
