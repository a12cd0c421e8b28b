/** The daemon's side of the spool: gives every file's contents to the writer and deletes it when they are durable. */
import { createReadStream, type FSWatcher, mkdirSync, watch } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import split2 from 'split2';
import { SsblogError, systemCode } from '../errors.ts';
import { type Content, parseContent } from '../message/content.ts';
import { fits } from '../message/size.ts';
import { Loop } from './loop.ts';

const BATCH_CONTENTS = 64;

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
    await mkdir(join(dir, 'damaged'), { recursive: true, mode: 0o700 });
    await rename(join(dir, name), join(dir, 'damaged', name));
    notice(`${damaged} lines of spool file ${name} could not be read; it is kept in ${join(dir, 'damaged')}`);
  }
}

/** Files and lines that wait in the spool. */
export async function spoolSize(dir: string): Promise<{ files: number; lines: number }> {
  const names = await readyFiles(dir);
  let lines = 0;
  for (const name of names) {
    for await (const content of spooledContents(join(dir, name))) {
      if (content !== undefined) lines += linesIn(content);
    }
  }
  return { files: names.length, lines };
}

/** How many lines a content carries; in a block, pieces of a long line count too. */
export function linesIn(content: Content): number {
  if (content.type === 'log-block') return content.lines;
  return content.type === 'log' && content.more === undefined ? 1 : 0;
}

/** Whole files, and those whose writer was killed before it could rename them; a run's in order. */
async function readyFiles(dir: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => {
      if (name.endsWith('.jsonl')) return true;
      const pid = /\.jsonl\.(\d+)\.tmp$/.exec(name)?.[1];
      return pid !== undefined && !isAlive(Number(pid));
    })
    .sort();
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
