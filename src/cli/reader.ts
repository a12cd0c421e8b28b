/** Opens the store for a verb that only reads, filled as far as it can be. */
import { existsSync } from 'node:fs';
import { SsblogError } from '../errors.ts';
import { isStoreFresh } from '../peer/engines/freshness.ts';
import type { MachineAccess } from '../peer/open-control.ts';
import { isDaemonListening } from '../peer/socket.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';

/**
 * A running peer keeps the store filled. Without one, a store that is missing, damaged, of another version or
 * behind its record is brought up to date by a peer in this process, under the lock.
 */
export async function openReader(access: MachineAccess): Promise<Store> {
  if (!(await isDaemonListening(access.paths)) && !isUpToDate(access)) await fillStore(access);
  return openStore(access.paths.store, { readOnly: true });
}

function isUpToDate({ config, paths }: MachineAccess): boolean {
  if (!existsSync(paths.store)) return false;
  try {
    const store = openStore(paths.store, { readOnly: true });
    try {
      return isStoreFresh(config.engine, store, paths);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof SsblogError && error.code === 'store') return false; // the peer mends it, or says why not
    throw error;
  }
}

async function fillStore(access: MachineAccess): Promise<void> {
  const { openControl } = await import('../peer/open-control.ts');
  const control = await openControl(access);
  await control.close();
}
