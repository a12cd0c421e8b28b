/** Does something while no other process can have the machine. */
import type { MachinePaths } from '../config/paths.ts';
import { takeLock } from '../peer/lock.ts';

/** @throws SsblogError `locked` when another process has it */
export async function withLock<T>(paths: MachinePaths, work: () => T | Promise<T>): Promise<T> {
  const lock = takeLock(paths);
  try {
    return await work();
  } finally {
    lock.close();
  }
}
