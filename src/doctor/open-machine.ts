/** Opens as much of a machine as can be opened; what cannot is kept as the reason why. */
import { existsSync, readdirSync } from 'node:fs';
import { readIdentity } from '../config/identity.ts';
import { type ConfigSources, loadConfig } from '../config/load.ts';
import { type MachinePaths, machinePaths } from '../config/paths.ts';
import { SsblogError, systemCode } from '../errors.ts';
import { StoreUnusable } from '../store/failures.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { findDaemon } from './find-daemon.ts';
import { type ExamineOptions, isOpen, type Machine } from './finding.ts';

/** @throws SsblogError `no-machine` when there is nothing to look at */
export async function openMachine(sources: ConfigSources, options: ExamineOptions): Promise<Machine> {
  const paths = machinePaths(sources.dir, sources.environment);
  const config = attempt(() => loadConfig(sources).config);
  if (!isOpen(config) && config.code === 'no-machine' && !isMachine(paths)) throw config;
  const identity = attempt(() => readIdentity(paths));
  const daemon = await findDaemon({ paths, config, identity });
  return { paths, config, identity, daemon, store: openToRead(paths), options };
}

export function closeMachine({ store }: Machine): void {
  if (isOpen(store)) store.close();
}

/** A directory in which something of ours is left. */
function isMachine({ dir, secret, store }: MachinePaths): boolean {
  if (!existsSync(dir)) return false;
  try {
    readdirSync(dir);
  } catch (error) {
    return systemCode(error) === 'EACCES'; // nobody knows what is in it
  }
  return existsSync(secret) || existsSync(store);
}

function openToRead(paths: MachinePaths): Store | SsblogError | undefined {
  const store = attempt(() => openStore(paths.store, { readOnly: true }));
  return store instanceof StoreUnusable && store.reason === 'missing' ? undefined : store;
}

function attempt<T>(work: () => T): T | SsblogError {
  try {
    return work();
  } catch (error) {
    if (error instanceof SsblogError) return error;
    throw error;
  }
}
