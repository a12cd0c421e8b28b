/** Gives a machine another identity: its key pair and its feeds are put away, its settings and its spool stay. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SsblogError } from '../errors.ts';
import { type Identity, writeNewIdentity } from './identity.ts';
import type { MachinePaths } from './paths.ts';

export interface NewIdentity {
  readonly identity: Identity;
  /** Where the old key pair and the old feeds are. */
  readonly old: string;
}

/**
 * The machine must be at rest. Interrupted, it has no key pair, says so, and the next call goes on.
 * @throws SsblogError `io` when the disk refuses
 */
export function replaceIdentity(paths: MachinePaths, now: Date): NewIdentity {
  const old = join(paths.dir, `old-${now.toISOString().replaceAll(':', '')}`);
  try {
    mkdirSync(old, { mode: 0o700 });
    // The key pair first: without it nobody writes to what is left.
    const { secret, recordMark, store, flume, oldFlume, ownFeed } = paths;
    const files = [secret, ownFeed, recordMark, store, `${store}-wal`, `${store}-shm`, flume, oldFlume];
    for (const file of files) if (existsSync(file)) renameSync(file, join(old, basename(file)));
    return { identity: writeNewIdentity(paths), old };
  } catch (error) {
    throw new SsblogError('io', `cannot put the old identity away: ${(error as Error).message}`, {
      hint: `look at the rights of ${paths.dir} and at the disk, then run the command again`,
      cause: error,
    });
  }
}
