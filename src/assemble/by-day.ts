/** The combined log in a directory, one file a day: only days to which lines came are written. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SsblogError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type Day, dayAt, dayNamed } from './day.ts';
import { dayOfFile, fileOfDay, foreignFiles, openDirectory } from './day-files.ts';
import type { LogFilter } from './filters.ts';
import { firstLineAfter, type LogSource, logSource, type SourceOptions, sourceKey, within } from './log-source.ts';
import {
  fits,
  type Memory,
  type MemoryOptions,
  type MemoryPlace,
  memoryOf,
  memoryPlace,
  NO_MEMORY,
  recall,
  remember,
} from './memory.ts';
import { isUnchanged, writeTarget } from './target.ts';
import { grownSince, type Written } from './written.ts';

export interface ByDayOptions extends SourceOptions {
  readonly memory: MemoryOptions;
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
 * directory, `io` when something cannot be written; files that are done by then are whole
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
    const days = new Days(source, { directory, place, memory: await recall(place) });
    await days.bringUpToDate();
    const { written, isChanged } = days;
    const files = Object.fromEntries(days.files);
    if (isChanged) await remember(place, hasUnreadable() ? { ...NO_MEMORY, files } : memoryOf(source, key, files));
    const lines = Object.values(files).reduce((sum, file) => sum + file.lines, 0);
    return { days: days.files.size, lines, written, ms: Math.round(performance.now() - startedMs) };
  } finally {
    lock.close();
  }
}

interface Place {
  readonly directory: string;
  readonly place: MemoryPlace;
  readonly memory: Memory;
}

class Days {
  /** What is known of each file, by name. */
  readonly files: Map<string, Written>;
  written = 0;

  readonly #source: LogSource;
  readonly #place: Place;
  readonly #hasFit: boolean;
  /** Files that are up to date. */
  readonly #done = new Set<string>();
  #foreign: readonly string[] | undefined;
  #lines = 0;

  constructor(source: LogSource, place: Place) {
    this.#source = source;
    this.#place = place;
    this.#hasFit = fits(place.memory, source);
    this.files = new Map(this.#hasFit ? Object.entries(place.memory.files) : []);
  }

  /** Whether there is something new to be remembered. */
  get isChanged(): boolean {
    const { memory } = this.#place;
    return (
      !this.#hasFit || memory.row !== this.#source.read.upToRow || this.written > 0 || memory.foreign !== undefined
    );
  }

  async bringUpToDate(): Promise<void> {
    const { output = 'text', utc = false } = this.#source.format;
    for (const [name, written] of [...this.files]) {
      if (await this.#isStill(name, written)) continue;
      await this.#write(dayNamed(dayOfFile(name, output) ?? '', utc));
    }
    for (let first = 0; ; ) {
      const line = await firstLineAfter(within(this.#source, { first }), this.#row);
      if (line === undefined) break;
      const day = dayAt(line.at, utc);
      await this.#write(day);
      first = day.end;
    }
    await this.#removeOld();
  }

  /** The row up to which files are written that were not looked at yet. */
  get #row(): number {
    return this.#hasFit ? this.#place.memory.row : 0;
  }

  /** Whether a file is as it was, and all its lines are; new lines aside. */
  async #isStill(name: string, written: Written): Promise<boolean> {
    const grownAt = grownSince({ written, row: this.#row }, this.#source.store, this.#source.read.upToRow);
    return grownAt === undefined && (await isUnchanged(join(this.#place.directory, name), written));
  }

  async #write({ name: day, start, end }: Day): Promise<void> {
    const name = fileOfDay(day, this.#source.format.output ?? 'text');
    if (this.#done.has(name)) return;
    await this.#claim(name);
    const path = join(this.#place.directory, name);
    const known = this.files.get(name);
    const linesBefore = this.#lines;
    const source = {
      ...within(this.#source, { first: start, last: end - 1 }),
      onProgress: (lines: number) => this.#source.onProgress?.(linesBefore + lines),
    };
    const target = { path, temporary: `${path}.${this.#place.place.id}.tmp` };
    const written = await writeTarget(source, target, known && { written: known, row: this.#row });
    this.#done.add(name);
    this.#lines += written.lines;
    if (written === known) return;
    this.written += 1;
    if (written.lines > 0) this.files.set(name, written);
    else await this.#remove(name);
  }

  /** Before the first new file: notes which names are others', so that a call that is killed knows its own again. */
  async #claim(name: string): Promise<void> {
    const { directory, place, memory } = this.#place;
    if (Object.hasOwn(memory.files, name)) return;
    if (this.#foreign === undefined) {
      this.#foreign = await foreignFiles(directory, this.#source.format.output ?? 'text', memory);
      await remember(place, { ...memory, foreign: [...this.#foreign] });
    }
    if (!this.#foreign.includes(name)) return;
    throw new SsblogError('exists', `${join(directory, name)} is in the way: ssblog did not write it`, {
      hint: 'move it away, or name another directory',
    });
  }

  /** Files of other filters, of which no line is left. What somebody changed is his. */
  async #removeOld(): Promise<void> {
    const { directory, memory } = this.#place;
    for (const [name, written] of Object.entries(memory.files))
      if (!this.files.has(name) && (await isUnchanged(join(directory, name), written))) await this.#remove(name);
  }

  async #remove(name: string): Promise<void> {
    this.files.delete(name);
    await rm(join(this.#place.directory, name), { force: true });
  }
}
