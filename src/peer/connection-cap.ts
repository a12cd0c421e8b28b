/**
 * How many connections there may be, whoever has the network key: anybody can make up ids. A machine needs one; there
 * are two for a moment, when it has lost one and does not know it.
 */
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

/** With one machine. */
const MAX_OF_ONE = 4;
/** With all together. */
const MAX_CONNECTIONS = 512;

export interface CapOptions {
  /** Machines that are followed are not hung up on for others. */
  readonly isWanted: (id: string) => boolean;
  readonly hangUp: (remote: RemotePeer) => void;
  readonly maxOfOne?: number;
  readonly maxConnections?: number;
}

export function capConnections(
  peer: SsbPeer,
  { isWanted, hangUp, maxOfOne = MAX_OF_ONE, maxConnections = MAX_CONNECTIONS }: CapOptions,
): void {
  /** In the order in which they came. */
  const open = new Set<RemotePeer>();
  const end = (remote: RemotePeer) => {
    open.delete(remote);
    hangUp(remote);
  };
  peer.on('rpc:connect', (remote) => {
    if (remote.id === peer.id) return;
    open.add(remote);
    remote.once('closed', () => open.delete(remote));
    const ofOne = [...open].filter(({ id }) => id === remote.id);
    if (ofOne.length > maxOfOne) end(ofOne[0] as RemotePeer);
    if (open.size <= maxConnections) return;
    // Where all are followed, whoever came last must wait.
    end([...open].find(({ id }) => !isWanted(id)) ?? remote);
  });
}
