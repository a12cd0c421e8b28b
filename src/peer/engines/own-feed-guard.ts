/**
 * A machine that may have lost the end of its own feed must not write before its own messages have been fetched from
 * peers: it would sign other ones with numbers that it has used, and its feed would end for all who have the old ones.
 * A small file beside the store says so.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachinePaths } from '../../config/paths.ts';

function guardFile(paths: MachinePaths): string {
  return join(paths.dir, 'catch-up.json');
}

/** Durable when it returns. @param reason one line for whoever asks why nothing is written */
export function requireCatchUp(paths: MachinePaths, reason: string): void {
  writeFileSync(guardFile(paths), `${JSON.stringify({ reason, since: Date.now() })}\n`, { mode: 0o600, flush: true });
}

export function mustCatchUp(paths: MachinePaths): boolean {
  return existsSync(guardFile(paths));
}
