/** Puts the daemon together with what tells people, and other machines, of jobs: neither knows the other. */
import { existsSync } from 'node:fs';
import type { NotifierConfig } from '../config/notifiers.ts';
import type { MachineAccess } from '../peer/open-control.ts';
import type { LocalPeer } from '../peer/peer.ts';

interface Telling {
  close(): Promise<void>;
}

export async function startTelling(
  peer: LocalPeer,
  access: MachineAccess,
  options: Parameters<typeof startNotifying>[2],
): Promise<Telling> {
  const { watchOverdue } = await import('../jobs/overdue.ts');
  const { paths, identity, notice } = access;
  const overdue = watchOverdue({
    storeFile: paths.store,
    self: identity.id,
    publish: (contents) => peer.write(contents),
    notice,
  });
  const notifications = await startNotifying(peer, access, options);
  return {
    async close() {
      await Promise.all([overdue.close(), notifications.close()]);
    },
  };
}

/** Where nobody is to be told anything, and nobody ever was, nothing is started. */
async function startNotifying(
  peer: LocalPeer,
  { config, identity, paths, notice }: MachineAccess,
  {
    notifiers,
    environment,
  }: { notifiers: readonly NotifierConfig[]; environment: Readonly<Record<string, string | undefined>> },
): Promise<Telling> {
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
