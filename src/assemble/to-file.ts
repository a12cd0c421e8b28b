/** The combined log into one file that is either all there or as it was before. */
import { randomBytes } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { SsblogError, systemCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { LogFilter } from './filters.ts';
import { logSource, type SourceOptions, sourceKey } from './log-source.ts';
import {
  fits,
  type MemoryOptions,
  type MemoryPlace,
  memoryOf,
  memoryPlace,
  NO_MEMORY,
  type PlaceLock,
  recall,
  remember,
} from './memory.ts';
import { writeTarget } from './target.ts';

export interface AssembleOptions extends SourceOptions {
  /** Where it is remembered what was written, so that the next call writes what is new; without it, all is written. */
  readonly memory?: MemoryOptions | undefined;
  /** Told when that fails: the file is written all the same. */
  readonly onForgotten?: (error: SsblogError) => void;
}

export interface AssembleResult {
  /** How many the file has. */
  readonly lines: number;
  /** Whether it was written to: else it was up to date. */
  readonly isChanged: boolean;
  /** How long it took: whole milliseconds. */
  readonly ms: number;
}

/**
 * Appends, or writes beside the file and renames; flushes to the disk.
 * @throws SsblogError `usage` when something else than a file is in the way, `io` when it cannot be written
 */
export async function assembleToFile(
  store: Store,
  filter: LogFilter,
  file: string,
  options: AssembleOptions = {},
): Promise<AssembleResult> {
  const startedMs = performance.now();
  const path = await resolveTarget(file);
  const { memory: memoryOptions, onForgotten } = options;
  const locked = memoryOptions && (await tryLock(memoryPlace(memoryOptions, path), onForgotten));
  try {
    // Not before: of what another call has written meanwhile nothing must be missing.
    const { source, hasUnreadable } = logSource(store, filter, options);
    const key = sourceKey(source);
    const memory = locked === undefined ? NO_MEMORY : await recall(locked.place);
    const known = fits(memory, source) ? memory.files[''] : undefined;
    const temporary = `${path}.${locked?.place.id ?? randomBytes(8).toString('hex')}.tmp`;
    const outcome = await writeTarget(source, { path, temporary }, known && { written: known, row: memory.row });
    const { written, isChanged } = outcome;
    if (locked !== undefined && (isChanged || memory.row !== source.read.upToRow)) {
      const next = hasUnreadable() ? NO_MEMORY : memoryOf(source, key, { '': written });
      await remember(locked.place, next).catch(onForgotten);
    }
    return { lines: written.lines, isChanged, ms: Math.round(performance.now() - startedMs) };
  } finally {
    locked?.lock.close();
  }
}

/** @returns undefined when nothing can be remembered */
async function tryLock(
  place: MemoryPlace,
  onForgotten: AssembleOptions['onForgotten'],
): Promise<{ place: MemoryPlace; lock: PlaceLock } | undefined> {
  try {
    return { place, lock: await place.lock() };
  } catch (error) {
    if (!(error instanceof SsblogError) || error.code !== 'io' || onForgotten === undefined) throw error;
    onForgotten(error);
    return undefined;
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
