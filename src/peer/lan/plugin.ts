/**
 * Finds machines of this network on the LAN, with ssb-lan's name and methods. A packet says where its sender listens;
 * it counts only when it comes from that very address, and its sender has proved to be there (neighbours.ts). The worst
 * that a false one can do is a dial of an address on this LAN, whose handshake then fails.
 */
import { randomBytes } from 'node:crypto';
import type { NetworkWatch } from '../network-watch.ts';
import type { PullSource } from '../ssb/types.ts';
import { FloodGate } from './flood.ts';
import { bare, linkOf } from './links.ts';
import { type Neighbour, Neighbours } from './neighbours.ts';
import { lanKey, openAnnouncement, PACKET_BYTES, sealAnnouncement, TOKEN_BYTES } from './packet.ts';
import { dialHost, type LanSockets, openLanSockets } from './sockets.ts';

const EVERY_MS = 2_000;
/** In a new network the first ones come sooner. */
const FIRST_PAUSES_MS = [300, 500, 1_000];
/** What nobody reads is not kept. */
const MAX_UNREAD = 100;

const MANIFEST = { start: 'sync', stop: 'sync', discoveredPeers: 'source' } as const;

export interface LanOptions {
  /** Those that are accepted now: this machine speaks and hears under each. */
  readonly networkKeys: () => readonly string[];
  readonly keys: { readonly id: string; readonly public: string; readonly private: string };
  /** Where the peer listens. */
  readonly port: number;
  readonly network: NetworkWatch;
  /** A machine has just been found. */
  readonly onFound: () => void;
  readonly now?: () => number;
}

interface LanStatus {
  /** The networks on which this machine looks and shows itself. */
  readonly links: readonly { readonly name: string; readonly address: string; readonly problem: string | null }[];
  readonly found: readonly Neighbour[];
}

export interface Lan {
  readonly plugin: unknown;
  start(): void;
  stop(): void;
  /** Who is there now. */
  found(): readonly Neighbour[];
  status(): LanStatus;
}

interface Discovered {
  readonly address: string;
  /** As ssb-lan has it: the machine signed it. */
  readonly verified: true;
}

export function lanDiscovery({ networkKeys, keys, port, network, onFound, now = Date.now }: LanOptions): Lan {
  const derived = new Map<string, Buffer>();
  const lanKeys = () =>
    networkKeys().map((networkKey) => {
      const key = derived.get(networkKey) ?? lanKey(networkKey);
      derived.set(networkKey, key);
      return key;
    });
  const newToken = () => randomBytes(TOKEN_BYTES).toString('hex');
  const neighbours = new Neighbours({ self: keys.id, now, newToken });
  const gate = new FloodGate(now);
  const readers = new Set<(discovered: Discovered) => void>();
  let sockets: LanSockets | undefined;
  let timer: NodeJS.Timeout | undefined;
  let firstPauses: number[] = [];

  const hear = (packet: Buffer, source: string) => {
    if (packet.length !== PACKET_BYTES || linkOf(network.links, source) === undefined) return;
    if (!gate.admits(source)) return;
    const said = firstOf(lanKeys(), (key) => openAnnouncement(key, packet));
    if (said === undefined || said.address !== bare(source)) return;
    const shs = said.id.slice(1).replace('.ed25519', '');
    const address = neighbours.hear(said, `net:${dialHost(source)}:${said.port}~shs:${shs}`);
    if (address === undefined) return;
    for (const tell of readers) tell({ address, verified: true });
    onFound();
  };

  const speak = () => {
    network.check();
    for (const link of network.links) {
      for (const key of lanKeys()) {
        const packet = sealAnnouncement(key, keys, { ...neighbours.next(), address: link.address, port });
        sockets?.send(link, packet);
      }
    }
    timer = setTimeout(speak, firstPauses.shift() ?? EVERY_MS);
    timer.unref();
  };

  const begin = () => {
    if (sockets === undefined) return;
    neighbours.moved();
    sockets.use(network.links);
    firstPauses = [...FIRST_PAUSES_MS];
  };
  network.onChange(begin);

  const lan: Lan = {
    plugin: {
      name: 'lan',
      version: '1.0.0',
      manifest: MANIFEST,
      permissions: {},
      init: () => ({
        start: () => lan.start(),
        stop: () => lan.stop(),
        discoveredPeers: () => discoveredPeers(readers),
      }),
    },
    start() {
      if (sockets !== undefined) return;
      sockets = openLanSockets(hear);
      begin();
      speak();
    },
    stop() {
      clearTimeout(timer);
      sockets?.close();
      sockets = undefined;
    },
    found: () => (sockets === undefined ? [] : neighbours.list()),
    status: () => ({
      links: (sockets === undefined ? [] : network.links).map((link) => ({
        name: link.name,
        address: link.address,
        problem: sockets?.problem(link) ?? null,
      })),
      found: lan.found(),
    }),
  };
  return lan;
}

function firstOf<K, V>(keys: readonly K[], open: (key: K) => V | undefined): V | undefined {
  for (const key of keys) {
    const value = open(key);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Machines as they are found. */
function discoveredPeers(readers: Set<(discovered: Discovered) => void>): PullSource<Discovered> {
  const unread: Discovered[] = [];
  let waiting: Parameters<PullSource<Discovered>>[1] | undefined;
  const take = (discovered: Discovered) => {
    const answer = waiting;
    waiting = undefined;
    if (answer !== undefined) answer(null, discovered);
    else if (unread.push(discovered) > MAX_UNREAD) unread.shift();
  };
  readers.add(take);
  return (abort, callback) => {
    if (abort) {
      readers.delete(take);
      waiting?.(abort);
      waiting = undefined;
      callback(abort);
      return;
    }
    const next = unread.shift();
    if (next !== undefined) callback(null, next);
    else waiting = callback;
  };
}
