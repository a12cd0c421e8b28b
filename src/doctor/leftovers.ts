/** Finds what a command that was killed has left: half-made stores, empty directories for sockets. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MachinePaths } from '../config/paths.ts';
import type { ExamineOptions } from './finding.ts';

/** A command that still runs is done with its directory long before. */
const OLD_MS = 60 * 60_000;
/** As client.ts makes them for ssb-client. */
const SCRATCH = /^ssblog-[A-Za-z0-9]{6}$/;

/** What the salvage writes before it is whole. */
export function unfinishedSalvage({ salvaged }: MachinePaths): string {
  return `${salvaged}.tmp`;
}

export function leftovers(paths: MachinePaths, { temporaryDir, now }: ExamineOptions): string[] {
  const files = ['', '-wal', '-shm'].map((suffix) => unfinishedSalvage(paths) + suffix);
  files.push(`${paths.config}.new`);
  const directories = readdirSync(temporaryDir)
    .filter((name) => SCRATCH.test(name))
    .map((name) => join(temporaryDir, name))
    .filter((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      const isOurs = found?.isDirectory() && found.uid === process.getuid?.() && now() - found.mtimeMs > OLD_MS;
      return isOurs === true && readdirSync(path).length === 0;
    });
  return [...files.filter((file) => existsSync(file)), ...directories];
}
