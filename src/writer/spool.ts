/** The daemon's side of the spool: gives every file's contents to the writer and deletes it when they are durable. */
import { createReadStream, type FSWatcher, mkdirSync, watch } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import split2 from 'split2';
import { SsblogError, systemCode } from '../errors.ts';
import { type Content, parseContent } from '../message/content.ts';
import { fits } from '../message/size.ts';
import { Loop } from './loop.ts';

const BATCH_CONTENTS = 64;

/** Below the spool: files of which not all lines could be read. */
const DAMAGED = 'damaged';

/** The file system's notices can be lost; this is how long a file may then wait. */
const LOOK_AGAIN_MS = 2_000;

export interface SpoolOptions {
  readonly dir: string;
  readonly write: (contents: readonly Content[]) => Promise<void>;
  readonly notice: (text: string) => void;
}

export class Spool {
  readonly #options: SpoolOptions;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #loop = new Loop(() => this.#drain());
  #closed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Empties the spool, then keeps it empty. Resolves after the first pass. */
  async start(): Promise<void> {
    mkdirSync(this.#options.dir, { recursive: true, mode: 0o700 });
    this.#watcher = watch(this.#options.dir, () => this.#look());
    this.#watcher.on('error', (error) => this.#options.notice(`cannot watch the spool: ${error.message}`));
    this.#timer = setInterval(() => this.#look(), LOOK_AGAIN_MS);
    this.#timer.unref();
    this.#look();
    await this.#loop.idle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    clearInterval(this.#timer);
    await this.#loop.idle();
  }

  #look(): void {
    if (!this.#closed) this.#loop.wake();
  }

  async #drain(): Promise<void> {
    const { dir, notice } = this.#options;
    for (const name of await readyFiles(dir)) {
      if (this.#closed) return;
      try {
        const damaged = await this.#publishFile(join(dir, name));
        if (damaged === 0) await rm(join(dir, name));
        else await this.#setAside(name, damaged);
      } catch (error) {
        if (error instanceof SsblogError && error.code === 'held') return; // it has been said why, and is said when it ends
        // The file stays: a later look tries again, after whatever refused it has been mended.
        notice(`spool file ${name} could not be published: ${(error as Error).message}`);
        return;
      }
    }
  }

  /** @returns how many of its lines could not be read */
  async #publishFile(path: string): Promise<number> {
    let damaged = 0;
    let batch: Content[] = [];
    for await (const content of spooledContents(path)) {
      if (content === undefined) {
        damaged += 1;
        continue;
      }
      batch.push(content);
      if (batch.length < BATCH_CONTENTS) continue;
      await this.#options.write(batch);
      batch = [];
    }
    if (batch.length > 0) await this.#options.write(batch);
    return damaged;
  }

  async #setAside(name: string, damaged: number): Promise<void> {
    const { dir, notice } = this.#options;
    await mkdir(join(dir, DAMAGED), { recursive: true, mode: 0o700 });
    await rename(join(dir, name), join(dir, DAMAGED, name));
    notice(`${damaged} lines of spool file ${name} could not be read; it is kept in ${join(dir, DAMAGED)}`);
  }
}

export interface SpoolState {
  /** Files and lines that wait. */
  readonly files: number;
  readonly lines: number;
  /** Lines of these files that hold no content. */
  readonly unreadable: number;
  /** Since when the oldest of them waits: milliseconds since the epoch. */
  readonly oldestMs: number | undefined;
  /** Files that were set aside because not all of them could be read. */
  readonly aside: number;
}

export async function spoolState(dir: string): Promise<SpoolState> {
  const names = await readyFiles(dir);
  let [lines, unreadable] = [0, 0];
  let oldestMs: number | undefined;
  for (const name of names) {
    const path = join(dir, name);
    try {
      oldestMs = Math.min(oldestMs ?? Infinity, (await stat(path)).mtimeMs);
      for await (const content of spooledContents(path)) {
        if (content === undefined) unreadable += 1;
        else lines += linesIn(content);
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error; // the daemon has just taken it
    }
  }
  return { files: names.length, lines, unreadable, oldestMs, aside: (await entriesOf(join(dir, DAMAGED))).length };
}

/** How many lines a content carries; in a block, pieces of a long line count too. */
export function linesIn(content: Content): number {
  if (content.type === 'log-block') return content.lines;
  return content.type === 'log' && content.more === undefined ? 1 : 0;
}

/** Whole files, and those whose writer was killed before it could rename them; a run's in order. */
async function readyFiles(dir: string): Promise<string[]> {
  return (await entriesOf(dir))
    .filter((name) => {
      if (name.endsWith('.jsonl')) return true;
      const pid = /\.jsonl\.(\d+)\.tmp$/.exec(name)?.[1];
      return pid !== undefined && !isAlive(Number(pid));
    })
    .sort();
}

async function entriesOf(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** The contents of a spool file; undefined for a line that holds none. */
async function* spooledContents(path: string): AsyncGenerator<Content | undefined> {
  const input = createReadStream(path);
  const lines = input.pipe(split2());
  input.on('error', (error) => lines.destroy(error));
  for await (const line of lines as AsyncIterable<string>) {
    if (line !== '') yield readContent(line);
  }
}

function readContent(line: string): Content | undefined {
  try {
    const parsed = parseContent(JSON.parse(line));
    return parsed.kind === 'known' && fits(parsed.content) ? parsed.content : undefined;
  } catch {
    return undefined; // a torn or damaged line: counted, and its file kept
  }
}
