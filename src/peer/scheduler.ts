/**
 * Dials the addresses that the user named, for ever, with growing pauses. It stands in for ssb-conn's own
 * scheduler, which never dials a peer outside the hops, nor on loopback, and prunes beyond eight peers.
 */
import type { SsbPeer } from './ssb/types.ts';

const TICK_MS = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export interface Scheduler {
  close(): void;
}

interface Attempt {
  failures: number;
  notBeforeMs: number;
}

/** The feed id in a multiserver address (`…~shs:KEY`), or undefined. */
export function addressFeed(address: string): string | undefined {
  const key = /~shs:([A-Za-z0-9+/]{43}=)/.exec(address)?.[1];
  return key === undefined ? undefined : `@${key}.ed25519`;
}

/** Feeds that are connected or being dialled. */
function busyFeeds(peer: SsbPeer): Set<string> {
  const feeds = [...peer.conn.hub().entries()].map(([, { key }]) => key);
  return new Set(feeds.filter((key) => key !== undefined));
}

export function startScheduler(
  peer: SsbPeer,
  now: () => number = Date.now,
  random: () => number = Math.random,
): Scheduler {
  const attempts = new Map<string, Attempt>();
  let closed = false;

  const tick = () => {
    if (closed) return;
    const connected = busyFeeds(peer);
    for (const [address] of peer.conn.dbPeers()) {
      const feed = addressFeed(address);
      if (feed === undefined || feed === peer.id || connected.has(feed)) continue;
      const attempt = attempts.get(address);
      if (attempt !== undefined && attempt.notBeforeMs > now()) continue;
      connected.add(feed); // one dial at a time for each peer, whatever addresses it has
      dial(address);
    }
  };

  const dial = (address: string) => {
    const attempt = attempts.get(address) ?? { failures: 0, notBeforeMs: 0 };
    attempts.set(address, attempt);
    attempt.notBeforeMs = now() + FIRST_PAUSE_MS;
    peer.conn.connect(address, (error) => {
      attempt.failures = error ? attempt.failures + 1 : 0;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt.failures, LONGEST_PAUSE_MS);
      // Jitter keeps machines that lost each other at one moment from dialling in step for ever.
      attempt.notBeforeMs = now() + pause * (0.75 + random() / 2);
    });
  };

  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  tick();
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
