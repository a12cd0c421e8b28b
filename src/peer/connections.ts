/** Who is connected now, and how far their feeds are known to go. */
import type { Store } from '../store/store.ts';
import type { PeerStatus } from './control.ts';
import type { SsbPeer } from './ssb/types.ts';

type PeerEntry = PeerStatus['peers'][number];

export interface Connections {
  list(): PeerEntry[];
}

/** Watches a peer's connections; those of this machine's own command line do not count. */
export function watchConnections(peer: SsbPeer, now: () => number = Date.now): Connections {
  const open = new Set<PeerEntry>();
  peer.on('rpc:connect', (remote, isClient) => {
    if (remote.id === peer.id) return;
    const entry: PeerEntry = {
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
