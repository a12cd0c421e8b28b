/** The exit code of a job whose output came through a pipe, which tells none: a file that the shell writes at its end. */
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../errors.ts';

/** The shell may be about to write it when the pipe has ended. */
const PATIENCE_MS = 2_000;
const LOOK_AGAIN_MS = 20;

/** A file so much older than the run is an earlier run's; one that is a little older is a job's that was quick. */
const STALE_MS = 60_000;

/** More than a number and white space needs. */
const MAX_BYTES = 64;

export type ExitFound =
  | { readonly exit: number; readonly problem?: undefined }
  | { readonly exit?: undefined; readonly problem: string };

export interface ExitFileOptions {
  /** When the run began, in ms since the epoch. */
  readonly started: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/** Waits for a little while for the file to appear and to hold a line. Never throws. */
export async function readExitFile(file: string, options: ExitFileOptions): Promise<ExitFound> {
  const giveUpAt = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    const found = await look(file, options.started);
    if (found !== 'wait') return found;
    if (performance.now() >= giveUpAt || options.signal.aborted) return { problem: 'it holds no exit code' };
    await delay(LOOK_AGAIN_MS);
  }
}

async function look(file: string, started: number): Promise<ExitFound | 'wait'> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return { problem: 'it is no file' };
    if (found.size === 0) return 'wait';
    if (found.size > MAX_BYTES) return { problem: 'it holds more than an exit code' };
    if (found.mtimeMs < started - STALE_MS) return { problem: 'it was written before this run' };
    const text = await readFile(file, 'utf8');
    return parse(text.trim());
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? 'wait' : { problem: (error as Error).message };
  }
}

function parse(text: string): ExitFound {
  return /^\d{1,3}$/.test(text) && Number(text) <= 255
    ? { exit: Number(text) }
    : { problem: `"${text.slice(0, 20)}" is no exit code (0 to 255)` };
}
