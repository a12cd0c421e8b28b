/** Removes temporary files that a command which was killed has left. */
import { rmdirSync, rmSync, statSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import type { Machine } from '../finding.ts';
import { leftovers } from '../leftovers.ts';
import { withLock } from '../with-lock.ts';

export function removeLeftovers({ paths, options }: Machine): Promise<void> {
  // Nobody else is about to make or use them.
  return withLock(paths, () => {
    for (const path of leftovers(paths, options)) {
      try {
        if (statSync(path).isDirectory()) rmdirSync(path);
        else rmSync(path);
      } catch (error) {
        // Somebody else was quicker, or uses the directory again.
        if (!['ENOENT', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
      }
    }
  });
}
