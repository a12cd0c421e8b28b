/** Which files of a machine have a mode that they should not have, and which they should have. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MachinePaths } from '../config/paths.ts';
import { systemCode } from '../errors.ts';

export interface WrongMode {
  /** Below the machine's directory; `.` is the directory itself. */
  readonly name: string;
  readonly mode: number;
  readonly wanted: number;
}

const MODE_BITS = 0o777;
const OTHERS = 0o077;
const OWNER_READS = 0o400;
const DIRECTORY_MODE = 0o700;

/** The directory, and what is in it and in the spool. Flume's files lie under a directory that is closed to others. */
export function openFiles(paths: MachinePaths): WrongMode[] {
  const names = ['.', ...entriesOf(paths.dir), ...entriesOf(paths.spool).map((name) => join('spool', name))];
  return names.flatMap((name) => {
    const found = statSync(join(paths.dir, name), { throwIfNoEntry: false });
    if (found === undefined || found.isSocket()) return []; // a socket is as closed as its directory
    const mode = found.mode & MODE_BITS;
    const owner = found.isDirectory() ? DIRECTORY_MODE : OWNER_READS;
    const wanted = (mode & ~OTHERS) | owner;
    return mode === wanted ? [] : [{ name, mode, wanted }];
  });
}

/** Of what is not there, or closed even to its owner, nothing is known. */
function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}
