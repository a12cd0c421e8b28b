/** What lies on a disk, in a form that two moments can be compared in. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every file and directory below `dir`: path, mode and a hash of the content, sorted. */
export function snapshot(dir: string): string[] {
  return [...walk(dir, dir)].sort();
}

/** Every file below `dir`. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function* walk(root: string, path: string): Generator<string> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const name = relative(root, path) || '.';
  if (stats === undefined) {
    yield `${name} missing`;
    return;
  }
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isDirectory()) {
    yield `${name}/ ${mode}`;
    for (const entry of readdirSync(path)) yield* walk(root, join(path, entry));
  } else if (stats.isFile()) {
    yield `${name} ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  } else {
    yield `${name} ${mode} special`;
  }
}
