/** Makes the store of the engine ssb-server anew from flume. */
import { rmSync } from 'node:fs';
import { SsblogError } from '../../errors.ts';
import { flumeBytes } from '../../peer/engines/freshness.ts';
import type { Machine } from '../finding.ts';
import { requireSoundFlume } from '../flume-damage.ts';
import { withLock } from '../with-lock.ts';
import { renew } from './renew.ts';

export async function makeMirrorAnew(machine: Machine): Promise<void> {
  const { paths } = machine;
  // Before the store is removed: it may have what flume has lost.
  await requireSoundFlume(machine);
  await withLock(paths, () => {
    if (flumeBytes(paths) === 0) {
      throw new SsblogError('store', `there is nothing in ${paths.flume} to make the store anew from`, {
        hint: 'if the engine was "sqlite", set it in config.json and run the command again',
      });
    }
    for (const suffix of ['', '-wal', '-shm', '-damaged']) rmSync(paths.store + suffix, { force: true });
  });
  await renew(machine);
}
