/** Closes what is open to others, and opens to its owner what is not. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { SsblogError } from '../../errors.ts';
import type { Machine } from '../finding.ts';
import { openFiles } from '../modes.ts';

export function repairModes({ paths }: Machine): void {
  for (const { name, wanted } of openFiles(paths)) {
    const path = join(paths.dir, name);
    try {
      chmodSync(path, wanted);
    } catch (error) {
      throw new SsblogError('io', `cannot change the mode of ${path}: ${(error as Error).message}`, {
        hint: 'let its owner do it',
        cause: error,
      });
    }
  }
}
