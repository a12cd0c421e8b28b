/** The files of a directory that holds a file a day, while they are brought up to date: one after the other. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SsblogError } from '../errors.ts';
import { type Day, dayAt, dayNamed } from './day.ts';
import { dayOfFile, fileOfDay, foreignFiles } from './day-files.ts';
import type { UnfinishedLine } from './lines.ts';
import { firstLineAfter, type LogSource, within } from './log-source.ts';
import { fits, type Memory, type MemoryPlace, NO_MEMORY, remember } from './memory.ts';
import { isUnchanged, writeTarget } from './target.ts';
import { grownSince, isGrown, MAX_UNFINISHED, type Written, withUnfinished } from './written.ts';

/**
 * Thirteen years. A single message may hold lines of very many days; a machine whose clock is wrong, or that means
 * harm, must not fill a disk with files.
 */
const MAX_DAYS = 5_000;

export interface DaysPlace {
  readonly directory: string;
  readonly place: MemoryPlace;
  readonly memory: Memory;
  /** More files than these are not made. */
  readonly maxDays?: number | undefined;
}

export class Days {
  /** What is known of each file, by name. */
  readonly files: Map<string, Written>;
  written = 0;

  readonly #source: LogSource;
  readonly #place: DaysPlace;
  readonly #hasFit: boolean;
  /** Files that are up to date. */
  readonly #done = new Set<string>();
  /** Lines that may go on, each once; those in files that were written are there as well. */
  readonly #unfinished = new Map<string, UnfinishedLine>();
  #foreign: readonly string[] | undefined;
  #lines = 0;

  constructor(source: LogSource, place: DaysPlace) {
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

  /** Lines that may go on, of days of which there is no file; undefined: there are too many to remember. */
  get unfinished(): UnfinishedLine[] | undefined {
    if (this.#unfinished.size > MAX_UNFINISHED) return undefined;
    return [...this.#unfinished.values()].filter((line) => !this.files.has(this.#fileAt(line.at)));
  }

  async bringUpToDate(): Promise<void> {
    const { output = 'text', utc = false } = this.#source.format;
    for (const [name, written] of [...this.files]) {
      if (await this.#isStill(name, written)) continue;
      await this.#write(dayNamed(dayOfFile(name, output) ?? '', utc));
    }
    for (const line of (this.#hasFit && this.#place.memory.unfinished) || []) await this.#lookAgain(line);
    for (let first = 0; ; ) {
      const line = await firstLineAfter(within(this.#source, { first }), this.#row, this.#addUnfinished);
      if (line === undefined) break;
      const day = dayAt(line.at, utc);
      await this.#write(day);
      first = day.end;
    }
    await this.#removeOld();
    for (const line of this.#unfinished.values()) {
      const name = this.#fileAt(line.at);
      const written = this.files.get(name);
      if (written !== undefined && !this.#done.has(name)) this.files.set(name, withUnfinished(written, [line]));
    }
  }

  /** After a failure: which files were added, so that they can be taken away when another filter leaves them out. */
  async rememberAdded(): Promise<void> {
    if (this.#foreign === undefined) return;
    const { place, memory } = this.#place;
    const files = { ...memory.files, ...Object.fromEntries(this.files) };
    await remember(place, { ...NO_MEMORY, files, foreign: [...this.#foreign] });
  }

  /** The row up to which files are written that were not looked at yet. */
  get #row(): number {
    return this.#hasFit ? this.#place.memory.row : 0;
  }

  #addUnfinished = (line: UnfinishedLine): void => {
    if (this.#unfinished.size <= MAX_UNFINISHED) this.#unfinished.set(`${line.at} ${line.run} ${line.next}`, line);
  };

  #fileAt(at: number): string {
    const { output = 'text', utc = false } = this.#source.format;
    return fileOfDay(dayAt(at, utc).name, output);
  }

  /** A line of a day without a file may have become one that the filter lets through. */
  async #lookAgain(line: UnfinishedLine): Promise<void> {
    const { store, read, format } = this.#source;
    if (!isGrown(line, store, { afterRow: this.#row, upToRow: read.upToRow })) return this.#addUnfinished(line);
    const day = dayAt(line.at, format.utc ?? false);
    const ofDay = within(this.#source, { first: day.start, last: day.end - 1 });
    if ((await firstLineAfter(ofDay, 0, this.#addUnfinished)) !== undefined) await this.#write(day);
  }

  /** Whether a file is as it was, and all its lines are; new lines aside. */
  async #isStill(name: string, written: Written): Promise<boolean> {
    const grownAt = grownSince({ written, row: this.#row }, this.#source.store, this.#source.read.upToRow);
    return grownAt === undefined && (await isUnchanged(join(this.#place.directory, name), written));
  }

  async #write({ name: day, start, end }: Day): Promise<void> {
    const name = fileOfDay(day, this.#source.format.output ?? 'text');
    if (this.#done.has(name)) return;
    const { maxDays = MAX_DAYS } = this.#place;
    if (!this.files.has(name) && this.files.size >= maxDays)
      throw new SsblogError('usage', `there are lines of more than ${maxDays} days`, {
        hint: 'leave out what is dated wrongly with --since and --until, or its machine with --machine',
      });
    await this.#claim(name);
    const path = join(this.#place.directory, name);
    const known = this.files.get(name);
    const linesBefore = this.#lines;
    const source = {
      ...within(this.#source, { first: start, last: end - 1 }),
      onProgress: (lines: number) => this.#source.onProgress?.(linesBefore + lines),
    };
    const target = { path, temporary: `${path}.${this.#place.place.id}.tmp` };
    const { written, isChanged } = await writeTarget(source, target, known && { written: known, row: this.#row });
    this.#done.add(name);
    this.#lines += written.lines;
    if (isChanged) this.written += 1;
    this.files.set(name, written);
    if (written.lines > 0) return;
    written.unfinished.forEach(this.#addUnfinished);
    await this.#remove(name);
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
