/**
 * What earlier calls wrote to a place, kept in a file so that the next call writes what is new. It is a shortcut only:
 * without it, or where it does not fit to what is there, files are written whole.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { SsblogError, systemCode } from '../errors.ts';
import { type LogSource, rowMark, sourceKey } from './log-source.ts';
import { unfinishedSchema, type Written, writtenSchema } from './written.ts';

const memorySchema = z.object({
  /** Of `sourceKey`; empty: nothing can be built on. */
  key: z.string(),
  /** The row of the store up to which all files are written, and its `rowMark`. */
  row: z.int().nonnegative(),
  mark: z.string(),
  /** By name; '' for a single file. */
  files: z.record(z.string(), writtenSchema),
  /** Lines that may go on, of days of which there is no file. */
  unfinished: unfinishedSchema.optional(),
  /**
   * While files are being added: the names that others had used before. What else is there and not among `files`
   * was added by a call that did not come to its end.
   */
  foreign: z.array(z.string()).optional(),
});
export type Memory = z.infer<typeof memorySchema>;

/** Is written beside. */
const pathSchema = z.object({ path: z.string() });

export const NO_MEMORY: Memory = { key: '', row: 0, mark: '', files: {} };

export interface MemoryOptions {
  /** The directory of all that is remembered. */
  readonly dir: string;
  /** Waits until no other process works on the place, and keeps others from it. @param file for it to lock */
  readonly lock?: (file: string, place: string) => Promise<PlaceLock>;
}

export interface PlaceLock {
  close(): void;
}

/** Where it is remembered what was written to a place. */
export interface MemoryPlace {
  /** Identifies the place, also among those of other machines. */
  readonly id: string;
  readonly path: string;
  readonly file: string;
  /** Everything that is done with the place, from `recall` to `remember`, is done under this lock. */
  lock(): Promise<PlaceLock>;
}

/** @param path of a file or a directory @param kind of what is written there: each is remembered by itself */
export function memoryPlace({ dir, lock }: MemoryOptions, path: string, kind = ''): MemoryPlace {
  const id = createHash('sha256').update(`${dir}\n${path}\n${kind}`).digest('hex').slice(0, 16);
  return {
    id,
    path,
    file: join(dir, `${id}.json`),
    async lock() {
      try {
        mkdirSync(dir, { recursive: true, mode: 0o700 });
      } catch (error) {
        throw failure(error);
      }
      return (await lock?.(join(dir, `${id}.lock`), path)) ?? { close: () => undefined };
    },
  };
}

/** What cannot be read counts for nothing. */
export async function recall({ file }: MemoryPlace): Promise<Memory> {
  try {
    const parsed = memorySchema.safeParse(parseJson(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : NO_MEMORY;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return NO_MEMORY;
  }
}

/** @returns undefined for what is no JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether files that are as they were have the first lines of what this source gives now. */
export function fits({ key, row, mark }: Memory, source: LogSource): boolean {
  return key === sourceKey(source) && row <= source.read.upToRow && mark === rowMark(source.store, row);
}

/** @param key the source's, from before it was read: a store that was drawn anew meanwhile is not built on */
export function memoryOf(source: LogSource, key: string, files: Record<string, Written>): Memory {
  const row = source.read.upToRow;
  return { key: key === sourceKey(source) ? key : '', row, mark: rowMark(source.store, row), files };
}

/** Makes it durable. @throws SsblogError `io` */
export async function remember({ file, path }: MemoryPlace, memory: Memory): Promise<void> {
  try {
    if (!existsSync(file)) await forgetGone(dirname(file));
    const beside = `${file}.new`;
    const handle = await open(beside, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify({ path, ...memory }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    throw failure(error);
  }
}

/** Where nothing is any more, nothing can be gone on with. */
async function forgetGone(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.endsWith('.json')) continue;
    const file = join(dir, name);
    const { path } = pathSchema.catch({ path: '' }).parse(parseJson(await readFile(file, 'utf8')));
    if (existsSync(path)) continue;
    for (const gone of [file, file.replace(/json$/, 'lock')]) await rm(gone, { force: true });
  }
}

function failure(cause: unknown): SsblogError {
  return new SsblogError('io', `what was written cannot be remembered: ${(cause as Error).message}`, {
    hint: "look at the disk of the machine's directory",
    cause,
  });
}
