/** The combined log into a file that is either all there or as it was before. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SsblogError, systemCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { LogFilter } from './filters.ts';
import { type FormatOptions, lineFormat } from './format.ts';
import { type ReadOptions, readLines } from './lines.ts';

/** Nobody else reads a machine's log. */
const FILE_MODE = 0o600;

/** Of the operating system's errors; Node's own have an underscore. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

export interface AssembleOptions {
  readonly format?: FormatOptions;
  readonly read?: ReadOptions;
  /** Told after each batch how many lines are written. */
  readonly onProgress?: (lines: number) => void;
}

export interface AssembleResult {
  readonly lines: number;
  /** How long it took: whole milliseconds. */
  readonly ms: number;
}

/**
 * Writes beside the file, flushes to the disk, and renames.
 * @throws SsblogError `usage` when something else than a file is in the way, `io` when it cannot be written
 */
export async function assembleToFile(
  store: Store,
  filter: LogFilter,
  file: string,
  options: AssembleOptions = {},
): Promise<AssembleResult> {
  const startedMs = performance.now();
  const target = await resolveTarget(file);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const lines = await writeLines(store, filter, temporary, options);
    await rename(temporary, target);
    await flushDirectory(dirname(target));
    return { lines, ms: Math.round(performance.now() - startedMs) };
  } catch (error) {
    await rm(temporary, { force: true });
    if (!SYSTEM_CODE.test(systemCode(error) ?? '')) throw error;
    throw new SsblogError('io', `${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** A link stays a link: the file that it points to is replaced. A device or a pipe must not be. */
async function resolveTarget(file: string): Promise<string> {
  try {
    const target = await realpath(file);
    if ((await stat(target)).isFile()) return target;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && !(await leadsElsewhere(file))) return file;
    if (systemCode(error) !== 'ENOENT')
      throw new SsblogError('io', `${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  throw new SsblogError('usage', `${file} is not a file`, { hint: `name a file, or use: ssblog log > ${file}` });
}

/** A link to something without a path of its own (`/dev/stdout` to a pipe): it must not be replaced. */
async function leadsElsewhere(file: string): Promise<boolean> {
  try {
    return !(await stat(file)).isFile();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function writeLines(
  store: Store,
  filter: LogFilter,
  file: string,
  { format: formatOptions, read, onProgress }: AssembleOptions,
): Promise<number> {
  const handle = await open(file, 'wx', FILE_MODE);
  try {
    const { header, format } = lineFormat(formatOptions);
    const writer = new WriteBehind(handle);
    await writer.write(header);
    let lines = 0;
    for await (const batch of readLines(store, filter, read)) {
      await writer.write(format(batch));
      lines += batch.length;
      onProgress?.(lines);
    }
    await writer.end();
    await handle.sync();
    return lines;
  } finally {
    await handle.close();
  }
}

/** Writes one batch while the next is made. */
class WriteBehind {
  readonly #handle: FileHandle;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Resolves when what was given before is written. @throws what that met */
  async write(bytes: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = writeAll(this.#handle, bytes);
    this.#writing.catch(() => undefined); // thrown by the next call
  }

  async end(): Promise<void> {
    await this.#writing;
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
}

/** Makes the new name durable, where directories can be flushed. */
async function flushDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
