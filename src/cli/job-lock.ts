/** A job that still runs on this machine is not started once more. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { machinePaths } from '../config/paths.ts';
import { SsblogError, systemCode } from '../errors.ts';
import type { Invocation } from './context.ts';
import type { ShipSettings } from './ship-options.ts';

/**
 * Held until the process ends, however it ends.
 * @returns false when another process has it
 * @throws when the machine's directory does not let it be taken
 */
export async function lockJob({ dir, context }: Invocation, settings: ShipSettings): Promise<boolean> {
  const { takeLock } = await import('../peer/lock.ts');
  const { jobLocks } = machinePaths(dir, context.environment);
  makeDirectory(jobLocks);
  const { source, destination, job } = settings;
  const name = createHash('sha256')
    .update(JSON.stringify([source ?? null, destination ?? null, job ?? null]))
    .digest('hex');
  try {
    held.push(takeLock({ lock: join(jobLocks, name), dir }));
    return true;
  } catch (error) {
    if (error instanceof SsblogError && error.code === 'locked') return false;
    throw error;
  }
}

/** A lock that nobody holds any more is closed by the collector of garbage. */
const held: unknown[] = [];

/** Never the machine's own directory: one that is not there is no machine. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
