/** How a file is known again, and a start of the computer. */
import { readFileSync, statSync } from 'node:fs';
import { uptime } from 'node:os';
import type { EngineName } from '../../config/keys.ts';

/** Two starts of one computer are further apart. */
const BOOT_PRECISION_MS = 60_000;

/** Which file keeps the feeds, for which engine. @returns undefined when there is no file */
export function recordPlace(engine: EngineName, file: string): string | undefined {
  const place = placeOf(file);
  return place === undefined ? undefined : `${engine}:${place}`;
}

/**
 * A copy of a file has another place, even one that is put where the file was: the number of a deleted file is soon
 * used again, so the time of its making belongs to it. Device numbers do not: they change between starts.
 * @returns undefined when there is no file
 */
export function placeOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.ino}:${found.birthtimeNs}`;
}

/** @returns what is the same until the computer starts anew */
export function currentBoot(now: () => number = Date.now): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    // Not Linux: the time of the start, which a corrected clock may move; that only costs a question to the peers.
    return String(Math.round((now() - uptime() * 1000) / BOOT_PRECISION_MS));
  }
}
