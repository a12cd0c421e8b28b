/** When other machines were last connected, kept in the store: whoever was connected and told of no run has had none. */
import * as z from 'zod';
import type { Store } from '../store/store.ts';
import type { Connections } from './connections.ts';
import type { PeerStatus } from './control.ts';

const META_KEY = 'peer.seen';

/** What a machine has to tell has come when it has been connected for so long. */
const SETTLED_MS = 60_000;

/** What is not written when the daemon is killed: a disk that could sleep is not woken more often. */
const WRITE_EVERY_MS = 3_600_000;

/** Whoever has the network key can connect under any number of ids; of those with messages here, the latest are kept. */
const MAX_MACHINES = 1000;

const seenSchema = z.record(z.string(), z.number());

type PeerEntry = Pick<PeerStatus['peers'][number], 'id' | 'sinceMs'>;

/** Takes down who is connected: when a connection ends, once an hour, and when it is closed. */
export interface SeenRecord {
  close(): void;
}

export function recordSeen(
  store: Store,
  connections: Pick<Connections, 'list' | 'onClosed'>,
  { notice, now = Date.now }: { notice: (text: string) => void; now?: () => number },
): SeenRecord {
  const write = (peers: readonly PeerEntry[]) => {
    if (!peers.some((peer) => isSettled(peer, now()))) return;
    try {
      writeSeen(store, lastSeen(store, peers, now()));
    } catch (error) {
      // A daemon whose disk is full has more to do than to end because of this.
      notice(`it could not be written down who was connected: ${(error as Error).message}`);
    }
  };
  const stopWatching = connections.onClosed((peer) => write([peer]));
  const timer = setInterval(() => write(connections.list()), WRITE_EVERY_MS).unref();
  let isOpen = true;
  return {
    close() {
      if (!isOpen) return;
      isOpen = false;
      clearInterval(timer);
      stopWatching();
      write(connections.list());
    },
  };
}

/**
 * @param connected who is connected now
 * @returns by feed id, when each was last connected: milliseconds since the epoch
 */
export function lastSeen(store: Store, connected: readonly PeerEntry[], now: number): Map<string, number> {
  const seen = readSeen(store);
  for (const peer of connected) if (isSettled(peer, now)) seen.set(peer.id, now);
  return seen;
}

function isSettled({ sinceMs }: PeerEntry, now: number): boolean {
  return now - sinceMs >= SETTLED_MS;
}

function readSeen(store: Store): Map<string, number> {
  const text = store.meta(META_KEY);
  return new Map(text === undefined ? [] : Object.entries(seenSchema.parse(JSON.parse(text))));
}

function writeSeen(store: Store, seen: ReadonlyMap<string, number>): void {
  const known = store.clock();
  const latest = [...seen].filter(([id]) => known.has(id)).sort(([, a], [, b]) => b - a);
  store.setMeta(META_KEY, JSON.stringify(Object.fromEntries(latest.slice(0, MAX_MACHINES))));
}
