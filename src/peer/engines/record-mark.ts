/**
 * Two marks that say that a store is the record of its feeds, not a mirror that can be made anew: one in the store, and
 * a file beside it, which tells when the store is gone. A machine that went on with an empty one would sign other
 * messages with numbers that it has used, and its feed would end for all who have the old ones.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

const KEY = 'record';
const TEXT = 'store.db beside this file holds the feeds of this machine. It cannot be made anew: keep a copy of it.\n';

export function isRecord(store: Store): boolean {
  return store.meta(KEY) === 'yes';
}

/** @throws SsblogError `io` when the disk refuses */
export function markAsRecord(store: Store, paths: MachinePaths): void {
  if (!isRecord(store)) store.setMeta(KEY, 'yes');
  try {
    if (!existsSync(paths.recordMark)) writeFileSync(paths.recordMark, TEXT, { mode: 0o600, flush: true });
  } catch (error) {
    throw new SsblogError('io', `cannot write ${paths.recordMark}: ${(error as Error).message}`, { cause: error });
  }
}

/** Only while flume holds all that the store holds. */
export function markAsMirror(store: Store, paths: MachinePaths): void {
  rmSync(paths.recordMark, { force: true });
  if (isRecord(store)) store.setMeta(KEY, 'no');
}

/** Whether there was a record here, whatever has become of it. */
export function hadRecord(paths: MachinePaths): boolean {
  return existsSync(paths.recordMark);
}
