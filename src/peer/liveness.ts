/**
 * Ends connections whose other side is gone without a word: a pulled cable, a laptop that sleeps. Each peer is pinged;
 * any byte of it counts as an answer, for a pong may have to wait behind all that it is sending.
 */
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

const TICK_MS = 1_000;
const PING_EVERY_MS = 15_000;
const MAX_SILENCE_MS = 45_000;
/** After sleep, or in another network, nobody gets the benefit of the doubt. */
const HURRY_MS = 8_000;
/** Time that is missing between two ticks: the computer slept, or its clock was set. */
const JUMP_MS = 10_000;

export interface Liveness {
  /** Whoever does not answer soon now is gone. */
  hurry(): void;
  close(): void;
}

interface Entry {
  readonly remote: RemotePeer;
  /** Bytes received so far. */
  bytes: number;
  heardMs: number;
  pingedMs: number;
  isPinging: boolean;
  /** It does answer pings: other software may not, and is left to TCP. */
  answers: boolean;
}

export interface LivenessOptions {
  /** Bytes that came over a connection; undefined when that is not known. */
  readonly received: (remote: RemotePeer) => number | undefined;
  readonly now?: () => number;
}

export function watchLiveness(peer: SsbPeer, { received, now = Date.now }: LivenessOptions): Liveness {
  const entries = new Set<Entry>();
  let lastTickMs = now();

  const ping = async (entry: Entry) => {
    entry.pingedMs = now();
    entry.isPinging = true;
    const isAnswered = await pingOnce(entry.remote, now());
    entry.isPinging = false;
    if (!isAnswered) return;
    entry.answers = true;
    entry.heardMs = now();
  };

  const look = (entry: Entry) => {
    const bytes = received(entry.remote) ?? entry.bytes;
    if (bytes !== entry.bytes) entry.heardMs = now();
    entry.bytes = bytes;
    if (entry.answers && now() - entry.heardMs > MAX_SILENCE_MS) {
      entries.delete(entry);
      entry.remote.close(true, () => undefined);
    } else if (!entry.isPinging && now() - entry.pingedMs >= PING_EVERY_MS) {
      void ping(entry);
    }
  };

  const hurry = () => {
    for (const entry of entries) {
      entry.heardMs = now() - MAX_SILENCE_MS + HURRY_MS;
      entry.pingedMs = 0;
      look(entry);
    }
  };

  const tick = () => {
    const passedMs = now() - lastTickMs;
    lastTickMs = now();
    if (Math.abs(passedMs - TICK_MS) > JUMP_MS) hurry();
    else for (const entry of entries) look(entry);
  };

  peer.on('rpc:connect', (remote) => {
    if (remote.id === peer.id) return;
    const entry = { remote, bytes: 0, heardMs: now(), pingedMs: 0, isPinging: false, answers: false };
    entries.add(entry);
    remote.once('closed', () => entries.delete(entry));
  });
  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  return { hurry, close: () => clearInterval(timer) };
}

/** A stream of its own for each ping: pull-ping, which answers, keeps a timer of minutes for each one in a stream. */
function pingOnce(remote: RemotePeer, time: number): Promise<boolean> {
  return new Promise((resolve) => {
    const { source, sink } = remote.gossip.ping({}, () => undefined);
    let isSent = false;
    let isOver = false;
    let endSending: (() => void) | undefined;
    sink((abort, callback) => {
      if (abort || isOver) callback(abort || true);
      else if (!isSent) {
        isSent = true;
        callback(null, time);
      } else {
        endSending = () => callback(true);
      }
    });
    source(null, (end) => {
      isOver = true;
      endSending?.();
      if (!end) source(true, () => undefined);
      resolve(!end);
    });
  });
}
