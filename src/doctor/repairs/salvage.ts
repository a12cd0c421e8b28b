/**
 * Puts what can be read of a damaged store in its place. Whenever this is interrupted, either nothing has changed, or
 * the daemon does not start (the store is gone and its mark is there) and `finishSalvage` does the rest.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import { markAsRecord } from '../../peer/engines/record-mark.ts';
import { requireCatchUp, trustRecord } from '../../peer/own-feed/after-repair.ts';
import { openStore } from '../../store/open.ts';
import { isOpen, type Machine } from '../finding.ts';
import { freeName } from '../free-name.ts';
import { unfinishedSalvage } from '../leftovers.ts';
import { type Salvaged, salvageMessages } from '../salvage.ts';
import { withLock } from '../with-lock.ts';

const COMPANIONS = ['-wal', '-shm'];
const MB = 1e6;
const NO_ROOM = 'free some space on the disk, and run the command again';

export function salvage(machine: Machine): Promise<void> {
  const { paths, options } = machine;
  return withLock(paths, async () => {
    const target = unfinishedSalvage(paths);
    for (const suffix of ['', ...COMPANIONS]) rmSync(target + suffix, { force: true });
    const isThere = existsSync(paths.store);
    if (isThere) requireRoom(paths);
    const saved: Salvaged = isThere
      ? await salvageMessages(paths.store, target, options)
      : { feeds: new Map(), lost: 0 };
    const isComplete = isThere && ownFeedIsComplete(machine, saved);
    const store = openStore(target);
    try {
      markAsRecord(store, paths);
    } finally {
      store.close();
    }
    removeCompanions(target);
    // From here on it must not be forgotten, whatever happens: the new store may end before the old one did.
    if (isComplete) trustRecord(paths, 'sqlite', target);
    else requireCatchUp(paths, 'the store was damaged, and this machine may have signed more than was saved');
    renameSync(target, paths.salvaged);
    syncDirectory(paths.dir);
    replace(paths, options.now());
    const messages = [...saved.feeds.values()].reduce((sum, sequence) => sum + sequence, 0);
    options.notice(
      `saved ${messages} messages (feeds: ${saved.feeds.size}); found, and could not be used: ${saved.lost}` +
        (isComplete ? '' : '; peers have to give this machine its own messages back before it writes'),
    );
  });
}

/** What was saved before a store that is still in its place may lack what has come into that since. */
export function finishSalvage({ paths, options }: Machine): Promise<void> {
  return withLock(paths, () => {
    if (existsSync(paths.store)) rmSync(paths.salvaged, { force: true });
    else replace(paths, options.now());
  });
}

/** @throws SsblogError `io` when not all is in the file itself */
function removeCompanions(file: string): void {
  const wal = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if ((wal?.size ?? 0) > 0) throw new SsblogError('io', `${file} could not be written as a whole`, { hint: NO_ROOM });
  for (const suffix of COMPANIONS) rmSync(file + suffix, { force: true });
}

/**
 * Only when the damage is elsewhere: SQLite finds all messages sound, and none of this machine's was left behind.
 * What a damaged file says of its own end is not believed.
 */
function ownFeedIsComplete({ paths, identity }: Machine, { feeds }: Salvaged): boolean {
  if (!isOpen(identity)) return false;
  try {
    const store = openStore(paths.store, { readOnly: true });
    try {
      return store.areMessagesSound() && store.clock().get(identity.id) === feeds.get(identity.id);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof SsblogError) return false;
    throw error;
  }
}

/** The store goes first: without one, and with its mark, no daemon starts. */
function replace(paths: MachinePaths, now: number): void {
  const isThere = existsSync(paths.store);
  const kept = (isThere ? undefined : lastKept(paths)) ?? freeName(paths, 'store.damaged', now);
  if (isThere) renameSync(paths.store, kept);
  // SQLite would take it for the new store's.
  const wal = `${paths.store}-wal`;
  const walBytes = statSync(wal, { throwIfNoEntry: false })?.size;
  if (walBytes === 0) rmSync(wal);
  else if (walBytes !== undefined) renameSync(wal, `${kept}-wal`);
  for (const suffix of ['-shm', '-damaged']) rmSync(paths.store + suffix, { force: true });
  syncDirectory(paths.dir);
  renameSync(paths.salvaged, paths.store);
  syncDirectory(paths.dir);
}

/** The one that an interrupted replacement has put away. */
function lastKept({ dir }: MachinePaths): string | undefined {
  const kept = readdirSync(dir)
    .filter((name) => name.startsWith('store.damaged-') && !name.endsWith('-wal'))
    .map((name) => ({ path: join(dir, name), changed: statSync(join(dir, name)).ctimeMs }))
    .sort((a, b) => b.changed - a.changed);
  return kept[0]?.path;
}

function requireRoom({ store, dir }: MachinePaths): void {
  const { bavail, bsize } = statfsSync(dir);
  const needed = statSync(store).size;
  if (bavail * bsize >= needed) return;
  throw new SsblogError('io', `a new store beside ${basename(store)} needs ${Math.ceil(needed / MB)} MB on the disk`, {
    hint: NO_ROOM,
  });
}

/** A rename is durable only when its directory is. */
function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
