/**
 * Cuts flume's log where its damage begins, and keeps the whole of it beside. Flume draws its views anew, and the mirror
 * gives it back what it has lost.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { SsblogError } from '../../errors.ts';
import { requireCatchUp } from '../../peer/own-feed/after-repair.ts';
import { openStore } from '../../store/open.ts';
import type { Machine } from '../finding.ts';
import { flumeDamage } from '../flume-damage.ts';
import { freeName } from '../free-name.ts';
import { withLock } from '../with-lock.ts';

export function cutFlume(machine: Machine): Promise<void> {
  const { paths, options } = machine;
  return withLock(paths, async () => {
    const damage = await flumeDamage(machine);
    if (damage === undefined) return;
    const { soundBytes } = damage;
    const isSound = isMirrorSound(machine);
    if (soundBytes === 0) {
      throw new SsblogError('store', `nothing in ${paths.flumeLog} can be used`, {
        hint: isSound
          ? `the store has its messages: put ${paths.flume} away, and make the store the record with: ssblog engine sqlite`
          : 'put a backup of it in its place',
      });
    }
    copyDurably(paths.flumeLog, freeName(paths, 'flume.damaged', options.now()));
    // Without a mirror to give it back, the end of the own feed may be lost.
    if (!isSound) requireCatchUp(paths, "flume's log and the store were damaged");
    for (const name of readdirSync(paths.flume)) {
      if (name !== basename(paths.flumeLog)) rmSync(join(paths.flume, name), { recursive: true });
    }
    truncateSync(paths.flumeLog, soundBytes);
  });
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const handle = openSync(to, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isMirrorSound({ paths }: Machine): boolean {
  if (!existsSync(paths.store)) return false;
  try {
    const store = openStore(paths.store, { readOnly: true });
    try {
      return store.areMessagesSound();
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof SsblogError) return false;
    throw error;
  }
}
