/**
 * The producer's side of the spool: contents that no daemon took, one JSON text a line, in files that appear
 * under their final names only when they are whole and on the disk.
 */
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../message/content.ts';
import { thisProcess } from './writer-alive.ts';

/** A file is handed over after this time, so that a long run's lines do not wait for its end. */
const HAND_OVER_MS = 1_000;

/** ... or at this size. */
const HAND_OVER_BYTES = 8 * 1024 * 1024;

const SEQUENCE_DIGITS = 9;

export interface SpoolFile {
  append(contents: readonly Content[]): Promise<void>;
  /** Hands over what is written. */
  close(): Promise<void>;
}

/**
 * @param dir the spool's directory; made when it is missing
 * @param run names the files: a run's files sort in the order of its lines
 */
export function createSpoolFile(dir: string, run: string, now: () => number = Date.now): SpoolFile {
  let sequence = 0;
  let current: { file: FileHandle; path: string; bytes: number; sinceMs: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let chain: Promise<void> = Promise.resolve();
  let failure: { error: unknown } | undefined;

  const handOver = async () => {
    clearTimeout(timer);
    if (current === undefined) return;
    const { file, path } = current;
    current = undefined;
    await file.sync();
    await file.close();
    await rename(path, path.slice(0, path.lastIndexOf('.', path.length - '.tmp'.length - 1)));
    await syncDirectory(dir);
  };

  const start = async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const name = `${run}-${String(sequence++).padStart(SEQUENCE_DIGITS, '0')}.jsonl`;
    // Lets the daemon tell a file that is being written from one whose writer was killed.
    const path = join(dir, `${name}.${thisProcess()}.tmp`);
    current = { file: await open(path, 'wx', 0o600), path, bytes: 0, sinceMs: now() };
    timer = setTimeout(() => {
      void enqueue(handOver).catch((error: unknown) => {
        failure ??= { error };
      });
    }, HAND_OVER_MS);
    timer.unref();
    return current;
  };

  /** One thing at a time: the timer must not hand over a file in the middle of a write. */
  const enqueue = (step: () => Promise<void>): Promise<void> => {
    const done = chain.then(step);
    chain = done.catch(() => undefined); // its caller has it; the next step must still run
    return done;
  };

  return {
    append(contents) {
      return enqueue(async () => {
        if (failure !== undefined) throw failure.error;
        const target = current ?? (await start());
        const text = contents.map((content) => `${JSON.stringify(content)}\n`).join('');
        await target.file.appendFile(text);
        target.bytes += Buffer.byteLength(text);
        if (target.bytes >= HAND_OVER_BYTES) await handOver();
      });
    },
    close() {
      return enqueue(async () => {
        await handOver();
        if (failure !== undefined) throw failure.error;
      });
    },
  };
}

/** A rename is durable only when its directory is. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
