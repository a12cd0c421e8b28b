/**
 * Whether a store that nobody fills just now holds all that flume holds. Without loading the SSB stack,
 * so that a reader starts fast.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineName } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import type { Store } from '../../store/store.ts';
import { isRecord } from './record-mark.ts';

/** Size of flume's log when the mirror was last closed in order; empty while one is open. */
export const MIRRORED_BYTES = 'mirrored-flume-bytes';

export function flumeLog(paths: MachinePaths): string {
  return join(paths.flume, 'log.offset');
}

export function flumeBytes(paths: MachinePaths): number {
  return statSync(flumeLog(paths), { throwIfNoEntry: false })?.size ?? 0;
}

/** A record always is. A mirror is when it was closed in order and flume has not grown since. */
export function isStoreFresh(engine: EngineName, store: Store, paths: MachinePaths): boolean {
  if (engine === 'sqlite') return isRecord(store);
  return store.meta(MIRRORED_BYTES) === String(flumeBytes(paths));
}
