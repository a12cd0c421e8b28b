/**
 * One process owns a machine's feed: two writers would fork it. The lock is a SQLite write lock on an empty file,
 * which the operating system drops when its holder ends, however it ends. Nothing is ever written to the file.
 */
import { closeSync, openSync, statSync, truncateSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import type { MachinePaths } from '../config/paths.ts';
import { SsblogError } from '../errors.ts';

export interface Lock {
  close(): void;
}

/** SQLite's result code for a lock that another connection has (https://www.sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
/** The low byte of a result code is the primary one. */
const PRIMARY_CODE = 0xff;

/**
 * @param paths the lock's file, and what it stands for
 * @throws SsblogError `locked` when another process has it, `io` when the disk refuses
 */
export function takeLock(paths: Pick<MachinePaths, 'lock' | 'dir'>): Lock {
  try {
    emptyFile(paths.lock);
    const db = new DatabaseSync(paths.lock, { timeout: 0 });
    try {
      db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      db.close();
      throw error;
    }
    return {
      close() {
        if (db.isOpen) db.close();
      },
    };
  } catch (error) {
    const code = Number((error as { errcode?: unknown }).errcode) & PRIMARY_CODE;
    if (code === SQLITE_BUSY) {
      throw new SsblogError('locked', `another ssblog works on ${paths.dir}`, {
        hint: 'wait until it is done; a daemon is stopped with: ssblog stop',
      });
    }
    throw new SsblogError('io', `cannot lock ${paths.lock}: ${(error as Error).message}`, {
      hint: 'look at the rights of the directory, and at the disk',
      cause: error,
    });
  }
}

/** Damage may have put something into it, which SQLite would then try to read. */
function emptyFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) closeSync(openSync(file, 'a', 0o600));
  else if (found.size > 0) truncateSync(file);
}
