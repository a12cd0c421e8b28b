/** When other machines were last connected, kept in the store: whoever was connected and told of no run has had none. */
import * as z from 'zod';
import type { Store } from '../store/store.ts';
import type { PeerStatus } from './control.ts';

const META_KEY = 'peer.seen';

/** What a machine has to tell has come when it has been connected for so long, and all of its feed is here. */
const SETTLED_MS = 60_000;

/** Who is connected is looked at so often, in memory … */
const LOOK_EVERY_MS = 60_000;
/** … and written when a machine is new, so often, and when the daemon ends: a disk that could sleep shall sleep. */
const LOOKS_A_WRITE = 60;

/** Whoever has the network key can connect under any number of ids; of those with messages here, the latest are kept. */
const MAX_MACHINES = 1000;

const seenSchema = z.record(z.string(), z.number());

type PeerEntry = Pick<PeerStatus['peers'][number], 'id' | 'sinceMs' | 'upToDate'>;

export interface SeenRecord {
  /** To be called every `LOOK_EVERY_MS`, which is done by itself. */
  look(): void;
  /** Writes what is not written. */
  close(): void;
}

/** Takes down who is connected, for as long as it is not closed. */
export function recordSeen(
  store: Store,
  {
    peers,
    notice,
    now = Date.now,
  }: { peers: () => readonly PeerEntry[]; notice: (text: string) => void; now?: () => number },
): SeenRecord {
  let fresh = new Map<string, number>();
  let looks = 0;
  let written: ReadonlyMap<string, number> = new Map();
  /** @returns whether there is a connection of which nothing is written */
  const take = () => {
    const settled = peers().filter((peer) => isSettled(peer, now()));
    for (const { id } of settled) fresh.set(id, now());
    return settled.some(({ id, sinceMs }) => (written.get(id) ?? 0) < sinceMs);
  };
  const write = () => {
    if (fresh.size === 0) return;
    written = new Map([...written, ...fresh]);
    writeSeen(store, new Map([...readSeen(store), ...fresh]));
    fresh = new Map();
  };
  /** A daemon whose disk is full has more to do than to end because of this. */
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      notice(`it could not be written down who was connected: ${(error as Error).message}`);
    }
  };
  const look = () => {
    looks += 1;
    guarded(() => {
      if (take() || looks % LOOKS_A_WRITE === 0) write();
    });
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  let isOpen = true;
  return {
    look,
    close() {
      if (!isOpen) return;
      isOpen = false;
      clearInterval(timer);
      guarded(() => {
        take();
        write();
      });
    },
  };
}

/**
 * @param connected who is connected now
 * @returns by feed id, when each was last connected with all of its feed here: milliseconds since the epoch
 */
export function lastSeen(store: Store, connected: readonly PeerEntry[], now: number): Map<string, number> {
  const seen = readSeen(store);
  for (const peer of connected) if (isSettled(peer, now)) seen.set(peer.id, now);
  return seen;
}

function isSettled({ sinceMs, upToDate }: PeerEntry, now: number): boolean {
  return upToDate && now - sinceMs >= SETTLED_MS;
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
