/** Who is connected now, and how far their feeds are known to go. */
import type { Store } from '../store/store.ts';
import type { PeerEntry, PeerStatus } from './control.ts';
import type { Instances } from './instances.ts';
import { addressFeed } from './scheduler.ts';
import type { Callback, RemotePeer, SsbPeer } from './ssb/types.ts';

type Connection = Omit<PeerEntry, 'via' | 'upToDate'>;

export interface Connections {
  list(): Connection[];
}

/**
 * A connection whose other side hangs up at once ends before secret-stack and ssb-conn know of it: nobody hears that
 * it closed, and it would count as open, and its machine as reached, for ever. Here its end is told once more, when
 * all that follows from its beginning is done.
 */
export function tellOfEarlyEnds(peer: SsbPeer): void {
  peer.on('rpc:connect', (remote) => {
    setImmediate(() => {
      if (remote.closed) remote.emit('closed');
    });
  });
}

/** A machine whose connection was replaced so often in this time is more than one. */
const SUSPICIOUS_REPLACEMENTS = 3;
const SUSPICIOUS_WITHIN_MS = 120_000;

export interface ReplaceOptions {
  readonly notice: (id: string, addresses: readonly string[]) => void;
  /** Watches the peer already. */
  readonly instances: Pick<Instances, 'settled'>;
  readonly now?: () => number;
}

/**
 * A machine that comes in again while its connection stands has lost that one and does not know it, or is a copy of
 * the other; or a dial that took long came through after all. The newer connection counts, on both sides: replication
 * speaks with one of them only.
 */
export function replaceOlder(peer: SsbPeer, { notice, instances, now = Date.now }: ReplaceOptions): void {
  const current = new Map<string, { readonly remote: RemotePeer; readonly isClient: boolean }>();
  const replaced = new Map<string, number[]>();
  peer.on('rpc:connect', (remote, isClient) => {
    if (remote.id === peer.id) return;
    const older = current.get(remote.id);
    current.set(remote.id, { remote, isClient });
    remote.once('closed', () => {
      if (current.get(remote.id)?.remote === remote) current.delete(remote.id);
    });
    if (older === undefined) return;
    // Not before it could say whether it is another one.
    void instances.settled(remote.id).then(() => older.remote.close(true, () => undefined));
    if (isClient || older.isClient) return;
    const recent = [...(replaced.get(remote.id) ?? []).filter((at) => at > now() - SUSPICIOUS_WITHIN_MS), now()];
    replaced.set(remote.id, recent);
    const addresses = [older.remote.stream.address, remote.stream.address];
    if (recent.length === SUSPICIOUS_REPLACEMENTS) notice(remote.id, addresses);
  });
}

/** Dials that were begun within this time cross each other. Whoever dials later has lost the connection. */
const CROSSING_MS = 3_000;
export const CROSSING = 'this machine is dialling it';

/**
 * Two machines that find each other dial at one moment. The dial of the one with the lower id stands; the other one is
 * refused in its handshake, before any side begins to replicate over it.
 * @param outgoingMs milliseconds since the machine was dialled, where that is under way or has come through
 */
export function refuseCrossing(peer: SsbPeer, outgoingMs: (id: string) => number | undefined): void {
  peer.auth.hook(function (original, args) {
    const [id, callback] = args as [string, (error: Error) => void];
    const isCrossing = peer.id < id && (outgoingMs(id) ?? CROSSING_MS) < CROSSING_MS;
    if (isCrossing) callback(new Error(CROSSING));
    else original.apply(this, args as Parameters<typeof original>);
  });
}

/** Watches a peer's connections; those of this machine's own command line do not count. */
export function watchConnections(peer: SsbPeer, now: () => number = Date.now): Connections {
  const open = new Set<Connection>();
  peer.on('rpc:connect', (remote, isClient) => {
    if (remote.id === peer.id) return;
    const entry: Connection = {
      id: remote.id,
      address: remote.stream.address,
      direction: isClient ? 'outgoing' : 'incoming',
      sinceMs: now(),
    };
    open.add(entry);
    remote.once('closed', () => open.delete(entry));
  });
  return { list: () => [...open] };
}

/** @param knownSequence of a feed: the highest that a connected peer has */
export function replicationProgress(store: Store, knownSequence: (feed: string) => number): PeerStatus['replication'] {
  const feeds = [...store.clock()].map(([id, have]) => ({ id, have, known: Math.max(have, knownSequence(id)) }));
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  return { have: sum(feeds.map(({ have }) => have)), known: sum(feeds.map(({ known }) => known)), feeds };
}

/**
 * ssb-conn's hub takes a connection that has ended for one that stands, when a machine had two at once: whoever dials
 * it then is given that one, for ever. So dials go past the hub; of one address one is under way at a time.
 */
export function dialPastHub(peer: SsbPeer): void {
  const underWay = new Map<string, Callback[]>();
  peer.conn.connect.hook((_original, args) => {
    const address = String(args[0]);
    const callback = args.find((arg): arg is Callback => typeof arg === 'function') ?? (() => undefined);
    const standing = peer.peers[addressFeed(address) ?? '']?.find(
      ({ closed, stream }) => !closed && stream.address === address,
    );
    const waiting = underWay.get(address);
    if (standing !== undefined) callback(null, standing);
    else if (waiting !== undefined) waiting.push(callback);
    else {
      const callbacks = [callback];
      underWay.set(address, callbacks);
      peer.connect(address, (error, remote) => {
        underWay.delete(address);
        for (const told of callbacks) told(error, remote);
      });
    }
    return undefined;
  });
}
