/** Names for what is put away. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MachinePaths } from '../config/paths.ts';

/** @returns a path like `DIR/store.damaged-2026-11-22`, with a number when there is one of that day */
export function freeName({ dir }: MachinePaths, beginning: string, now: number): string {
  const name = join(dir, `${beginning}-${new Date(now).toISOString().slice(0, 10)}`);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}.${number}`;
    if (!existsSync(candidate)) return candidate;
  }
}
