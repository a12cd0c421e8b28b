/**
 * SQLite keeps a connection that was closed, and its -wal and -shm files with it, for as long as there are statements
 * of it; the binding leaves statements to the garbage collector, and a process that exits does not call it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * After stores were closed, before and after the one that writes: a reader that goes last leaves the other files where
 * they are. Takes some milliseconds.
 */
export async function releaseClosed(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  collectGarbage();
  await turn(); // what was collected is told of
  await turn(); // and the statements are finalized
}
