/** What a machine takes on the disk. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemCode } from '../errors.ts';

/** What takes how many bytes: by what it is for, and all of it. */
export interface DiskUse {
  readonly bytes: number;
  /** Only what there is; the largest first. */
  readonly kinds: readonly (readonly [kind: string, bytes: number])[];
}

/** By the beginning of a name in the machine's directory; the first that fits counts. */
const KINDS: readonly (readonly [beginning: string, kind: string])[] = [
  ['store.damaged-', 'kept of a damaged store'],
  ['store.', 'store'],
  ['flume.damaged-', 'kept of a damaged flume'],
  ['flume.old', 'kept of ssb-server'],
  ['flume', 'flume'],
  ['spool', 'spool'],
];

/** All files below a machine's directory, in bytes. Files that vanish meanwhile count nothing. */
export async function diskUse(dir: string): Promise<DiskUse> {
  const kinds = new Map<string, number>();
  let all = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    try {
      const { size } = await stat(path);
      const name = relative(dir, path);
      const kind = KINDS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? 'other';
      kinds.set(kind, (kinds.get(kind) ?? 0) + size);
      all += size;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return { bytes: all, kinds: [...kinds].filter(([, bytes]) => bytes > 0).sort((a, b) => b[1] - a[1]) };
}
