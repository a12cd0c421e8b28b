/** Puts the daemon and its notifications together: neither knows the other. */
import { existsSync } from 'node:fs';
import type { NotifierConfig } from '../config/notifiers.ts';
import type { Notifications } from '../notify/notifications.ts';
import type { MachineAccess } from '../peer/open-control.ts';
import type { LocalPeer } from '../peer/peer.ts';

/** Where nobody is to be told anything, and nobody ever was, nothing is started. */
export async function startTelling(
  peer: LocalPeer,
  { config, identity, paths, notice }: MachineAccess,
  {
    notifiers,
    environment,
  }: { notifiers: readonly NotifierConfig[]; environment: Readonly<Record<string, string | undefined>> },
): Promise<Notifications> {
  if (notifiers.length === 0 && !existsSync(paths.notify)) return { close: async () => undefined };
  const [{ startNotifications }, { lastSeen }] = await Promise.all([
    import('../notify/notifications.ts'),
    import('../peer/seen.ts'),
  ]);
  return startNotifications({
    notifiers,
    self: { id: identity.id, name: config.name },
    storeFile: paths.store,
    stateFile: paths.notify,
    dir: paths.dir,
    hops: config.hops,
    environment,
    publish: (contents) => peer.write(contents),
    presence: async (store) => {
      const { peers } = await peer.status();
      return { connected: new Set(peers.map(({ id }) => id)), seen: lastSeen(store, peers, Date.now()) };
    },
    onRecords: (listener) => peer.onRecords(listener),
    notice,
  });
}
