/** The combined log in a directory, one file a day: only days to which lines came are written. */
import type { Store } from '../store/store.ts';
import { openDirectory } from './day-files.ts';
import { Days } from './days.ts';
import type { LogFilter } from './filters.ts';
import { logSource, type SourceOptions, sourceKey } from './log-source.ts';
import { type MemoryOptions, memoryOf, memoryPlace, NO_MEMORY, recall, remember } from './memory.ts';

export interface ByDayOptions extends SourceOptions {
  readonly memory: MemoryOptions;
  /** More files than these are not made. */
  readonly maxDays?: number;
}

export interface ByDayResult {
  /** How many files and lines there are. */
  readonly days: number;
  readonly lines: number;
  /** How many files were written to. */
  readonly written: number;
  /** How long it took: whole milliseconds. */
  readonly ms: number;
}

/**
 * Makes the directory when it is missing.
 * @throws SsblogError `exists` when somebody else's file has the name of a day that has lines, `usage` when `dir` is no
 * directory or there are too many days, `io` when something cannot be written; files that are done by then are whole
 */
export async function assembleByDay(
  store: Store,
  filter: LogFilter,
  dir: string,
  options: ByDayOptions,
): Promise<ByDayResult> {
  const startedMs = performance.now();
  const directory = await openDirectory(dir);
  const place = memoryPlace(options.memory, directory, options.format?.output ?? 'text');
  const lock = await place.lock();
  try {
    // Not before: of what another call has written meanwhile nothing must be missing.
    const { source, hasUnreadable } = logSource(store, filter, options);
    const key = sourceKey(source);
    const days = new Days(source, {
      directory,
      place,
      memory: await recall(place),
      maxDays: options.maxDays,
    });
    await days.bringUpToDate().catch(async (error: unknown) => {
      await days.rememberAdded().catch(() => undefined); // the failure that is being reported matters more
      throw error;
    });
    const { written, isChanged, unfinished } = days;
    const files = Object.fromEntries(days.files);
    const canGoOn = unfinished !== undefined && !hasUnreadable();
    const memory = canGoOn ? { ...memoryOf(source, key, files), unfinished } : { ...NO_MEMORY, files };
    if (isChanged) await remember(place, memory);
    const lines = Object.values(files).reduce((sum, file) => sum + file.lines, 0);
    return { days: days.files.size, lines, written, ms: Math.round(performance.now() - startedMs) };
  } finally {
    lock.close();
  }
}
