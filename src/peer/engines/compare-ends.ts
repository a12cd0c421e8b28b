/** Compares the ends of feeds in a mirror with those in flume. Opens flume by itself, without network and socket. */
import type { SignedMessage } from '../../message/signed.ts';
import type { Store } from '../../store/store.ts';
import { captureLibraryOutput } from '../library-output.ts';
import { takeLock } from '../lock.ts';
import type { MachineAccess } from '../open-control.ts';
import { promised } from '../pull.ts';
import type { SsbPeer } from '../ssb/types.ts';
import { prepareTraffic } from '../traffic.ts';

/**
 * Either may lag behind, which the next start mends (what flume lost is given back to it): what both have must agree.
 * @returns feeds that do not go the same way in both
 * @throws SsblogError `locked` when another process has the machine
 */
export async function differingFeeds(
  { config, identity, paths, notice }: MachineAccess,
  store: Store,
): Promise<string[]> {
  const lock = takeLock(paths);
  const release = captureLibraryOutput(notice);
  try {
    prepareTraffic(); // the process may open a peer afterwards
    const { createSsbServer } = await import('ssb-server');
    const peer: SsbPeer = createSsbServer()({
      path: paths.dir,
      keys: identity,
      caps: { shs: config.networkKey },
      connections: { incoming: {}, outgoing: {} },
    });
    try {
      const clock = await promised<Record<string, number>>((callback) => peer.getVectorClock(callback));
      const differing: string[] = [];
      for (const [feed, sequence] of store.clock()) {
        if (sequence === 0) continue;
        const isThere = (clock[feed] ?? 0) >= sequence;
        if (!isThere || store.message(feed, sequence)?.key !== (await keyAt(peer, feed, sequence)))
          differing.push(feed);
      }
      return differing;
    } finally {
      await promised<unknown>((callback) => peer.close(callback));
    }
  } finally {
    release();
    lock.close();
  }
}

async function keyAt(peer: SsbPeer, feed: string, sequence: number): Promise<string> {
  return (await promised<SignedMessage>((callback) => peer.getAtSequence([feed, sequence], callback))).key;
}
