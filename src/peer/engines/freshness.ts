/**
 * Whether a store that nobody fills just now holds all that flume holds. Without loading the SSB stack,
 * so that a reader starts fast.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { MachinePaths } from '../../config/paths.ts';
import type { Store } from '../../store/store.ts';

/** Size of flume's log when the mirror was last closed in order; empty while one is open. */
export const MIRRORED_BYTES = 'mirrored-flume-bytes';

export function flumeBytes(paths: MachinePaths): number {
  return statSync(join(paths.flume, 'log.offset'), { throwIfNoEntry: false })?.size ?? 0;
}

/** True when the last mirror was closed in order and flume has not grown since. */
export function isMirrorFresh(store: Store, paths: MachinePaths): boolean {
  return store.meta(MIRRORED_BYTES) === String(flumeBytes(paths));
}
