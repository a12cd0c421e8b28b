/** The daemon's side of the spool: gives every file's contents to the writer and deletes it when they are durable. */
import { createReadStream, type FSWatcher, mkdirSync, watch } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import split2 from 'split2';
import { SsblogError, systemCode } from '../errors.ts';
import { decodeBlock } from '../message/block.ts';
import { type Content, parseContent } from '../message/content.ts';
import { fits } from '../message/size.ts';
import { Batch } from './batch.ts';
import { Loop } from './loop.ts';
import { isAlive } from './writer-alive.ts';

/** Below the spool: files of which not all lines could be read. */
const DAMAGED = 'damaged';

/** The file system's notices can be lost; this is how long a file may then wait. */
const LOOK_AGAIN_MS = 2_000;

/** After a failure the next attempt waits so long, twice as long after each further one, ... */
const FIRST_PAUSE_MS = 1_000;
/** ... up to this: where there is room again, the spool must not wait for long. */
const LONGEST_PAUSE_MS = 30_000;

/** A file whose contents were refused so often, for no reason that lies in the machine, will be refused for ever. */
const MAX_REFUSALS = 3;

export interface SpoolOptions {
  readonly dir: string;
  readonly write: (contents: readonly Content[]) => Promise<void>;
  readonly notice: (text: string) => void;
  readonly firstPauseMs?: number;
}

/** What a pass over a file could not publish. */
interface Remains {
  readonly unreadable: number;
  readonly refused: number;
}

export class Spool {
  readonly #options: SpoolOptions;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #loop = new Loop(() => this.#drain());
  #closed = false;
  /** Attempts that failed since the last that did not. */
  #failures = 0;
  #notBeforeMs = 0;
  /** What was said of the failure that lasts. */
  #said: string | undefined;
  /** How often files were refused. */
  readonly #refusals = new Map<string, number>();

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
    if (performance.now() < this.#notBeforeMs) return;
    const { dir } = this.#options;
    const failed = new Set<string>();
    for (const name of await readyFiles(dir)) {
      if (this.#closed) return;
      // A run's later file must not come before its earlier one; other runs need not wait for it.
      if (failed.has(runOf(name))) continue;
      try {
        await this.#drainFile(name);
        this.#refusals.delete(name);
      } catch (error) {
        // It has been said why, and is said when it ends.
        if (error instanceof SsblogError && error.code === 'held') return;
        this.#fail(name, error);
        failed.add(runOf(name));
        if (error instanceof SsblogError) return; // the machine's state: others will fare no better
      }
    }
    if (failed.size > 0) return;
    this.#failures = 0;
    this.#said = undefined;
  }

  /** The file stays: a later look tries again, after whatever refused it has been mended. */
  #fail(name: string, error: unknown): void {
    if (!(error instanceof SsblogError)) this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
    const pauseMs = Math.min((this.#options.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#notBeforeMs = performance.now() + pauseMs;
    setTimeout(() => this.#look(), pauseMs).unref();
    const text = (error as Error).message;
    if (text === this.#said) return;
    this.#said = text;
    this.#options.notice(`spool file ${name} could not be published, and is tried again: ${text}`);
  }

  async #drainFile(name: string): Promise<void> {
    const path = join(this.#options.dir, name);
    const isHopeless = (this.#refusals.get(name) ?? 0) >= MAX_REFUSALS;
    const remains = await this.#publishFile(path, isHopeless);
    if (remains.unreadable + remains.refused === 0) await rm(path);
    else await this.#setAside(name, remains);
  }

  /** @param oneByOne contents that are refused are passed over */
  async #publishFile(path: string, oneByOne: boolean): Promise<Remains> {
    let unreadable = 0;
    let refused = 0;
    let batch = new Batch();
    const publish = async () => {
      try {
        if (batch.contents.length > 0) await this.#options.write(batch.contents);
      } catch (error) {
        if (!oneByOne || error instanceof SsblogError) throw error;
        refused += 1;
      }
      batch = new Batch();
    };
    for await (const content of spooledContents(path)) {
      if (content === undefined) {
        unreadable += 1;
        continue;
      }
      if (oneByOne || batch.isFullFor(content)) await publish();
      batch.add(content);
    }
    await publish();
    return { unreadable, refused };
  }

  async #setAside(name: string, { unreadable, refused }: Remains): Promise<void> {
    const { dir, notice } = this.#options;
    await mkdir(join(dir, DAMAGED), { recursive: true, mode: 0o700 });
    await rename(join(dir, name), join(dir, DAMAGED, name));
    const what = [
      ...(unreadable > 0 ? [`${unreadable} lines of spool file ${name} could not be read`] : []),
      ...(refused > 0 ? [`${refused} contents of spool file ${name} cannot be published`] : []),
    ];
    notice(`${what.join(', ')}; it is kept in ${join(dir, DAMAGED)}`);
  }
}

/** `RUN-SEQUENCE.jsonl…` */
function runOf(name: string): string {
  return name.slice(0, name.lastIndexOf('-', name.indexOf('.jsonl')));
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
      const writer = /\.jsonl\.(\d+(?:-\w+)?)\.tmp$/.exec(name)?.[1];
      return writer !== undefined && !isAlive(writer);
    })
    .sort();
}

async function entriesOf(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
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
    if (parsed.kind !== 'known' || !fits(parsed.content)) return undefined;
    // The writer believes what a block says of its data, and damage need not show in the text.
    if (parsed.content.type === 'log-block') decodeBlock(parsed.content);
    return parsed.content;
  } catch {
    return undefined; // a torn or damaged line: counted, and its file kept
  }
}
