/** Who is connected now, and how far their feeds are known to go. */
import type { Store } from '../store/store.ts';
import type { PeerEntry, PeerStatus } from './control.ts';
import type { Instances } from './instances.ts';
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

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
 * the other. The newer connection counts: replication speaks with one of them only.
 */
export function replaceOlder(peer: SsbPeer, { notice, instances, now = Date.now }: ReplaceOptions): void {
  const incoming = new Map<string, RemotePeer>();
  const replaced = new Map<string, number[]>();
  peer.on('rpc:connect', (remote, isClient) => {
    if (remote.id === peer.id || isClient) return;
    const older = incoming.get(remote.id);
    incoming.set(remote.id, remote);
    remote.once('closed', () => {
      if (incoming.get(remote.id) === remote) incoming.delete(remote.id);
    });
    if (older === undefined) return;
    const recent = [...(replaced.get(remote.id) ?? []).filter((at) => at > now() - SUSPICIOUS_WITHIN_MS), now()];
    replaced.set(remote.id, recent);
    if (recent.length === SUSPICIOUS_REPLACEMENTS) notice(remote.id, [older.stream.address, remote.stream.address]);
    // Not before it could say whether it is another one.
    void instances.settled(remote.id).then(() => older.close(true, () => undefined));
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
  let have = 0;
  let known = 0;
  for (const [feed, stored] of store.clock()) {
    have += stored;
    known += Math.max(stored, knownSequence(feed));
  }
  return { have, known };
}
