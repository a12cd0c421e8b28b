/**
 * The daemon's writer: contents in, own messages out, in order, each once, many in one commit.
 * Knows nothing of engines or of who calls.
 */
import { Change } from '../change.ts';
import { SsblogError } from '../errors.ts';
import type { Content } from '../message/content.ts';
import { Loop } from './loop.ts';

/** At most this many messages get their places in the feed at a time. */
const GROUP_MESSAGES = 256;

/** While one group is made durable, the next is signed. */
const WINDOW_GROUPS = 2;

/** Runs whose progress is kept in memory; the store knows all of them. */
const REMEMBERED_RUNS = 1000;

export interface WriterOptions {
  /** Whether the feed may be written now; rejects when it must not. */
  readonly ready: () => Promise<void> | void;
  /**
   * Gives contents their places in the feed, before it returns; rejects when one of them cannot be a message. What it
   * resolves with resolves when they are durable, and rejects for them and all that have places after them.
   */
  readonly publish: (contents: readonly Content[]) => Promise<{ readonly durable: Promise<void> }>;
  /** The highest record number of a run in this machine's own feed; 0 when there is none. */
  readonly storedProgress: (run: string) => number;
}

interface Request {
  readonly contents: readonly Content[];
  /** They are from a file of the spool, which may have lost some of its lines. */
  readonly isSpooled: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Refusal {
  /** The record with which the run may go on. */
  readonly first: number;
  /** The last one that was refused. */
  readonly last: number;
  readonly error: unknown;
}

interface Group {
  readonly durable: Promise<void>;
  /** By run, the last record that has its place. */
  readonly progress: ReadonlyMap<string, number>;
  /** Requests of which everything had its place before. */
  readonly repeated: ReadonlySet<Request>;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #progress = new Map<string, number>();
  /** Runs of which calls were refused. */
  readonly #refused = new Map<string, Refusal>();
  #queue: Request[] = [];
  readonly #queued = new Change();
  /** Groups that have their places, and are not durable yet. */
  readonly #placed = new Set<Promise<void>>();
  /** Of the last group of these: it comes after all others. */
  #last = Promise.resolve();
  readonly #loop = new Loop(() => this.#publishQueue());

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all contents are durable. Records that were published before are left out: whoever is not
   * sure that its lines arrived sends them again.
   * After a refusal, what comes next in its run is refused too, until the run goes on where it was refused: callers
   * have several calls under way, and a later record in the feed would make the refused ones look like repetitions.
   */
  write(contents: readonly Content[]): Promise<void> {
    return this.#enqueue(contents, false);
  }

  /** The same for a file of the spool, whose contents come one call after the other; some may be missing. */
  writeSpooled(contents: readonly Content[]): Promise<void> {
    return this.#enqueue(contents, true);
  }

  /** Resolves when everything that was given is published or refused. */
  async idle(): Promise<void> {
    await this.#loop.idle();
  }

  #enqueue(contents: readonly Content[], isSpooled: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ contents, isSpooled, resolve, reject });
      this.#queued.tell();
      this.#loop.wake();
    });
  }

  async #publishQueue(): Promise<void> {
    while (this.#queue.length > 0 || this.#placed.size > 0) {
      if (this.#queue.length === 0) await Promise.race([...this.#placed, this.#queued.next()]);
      else {
        await this.#room();
        await this.#place(this.#takeGroup());
      }
    }
  }

  async #room(): Promise<void> {
    while (this.#placed.size >= WINDOW_GROUPS) await Promise.race(this.#placed);
  }

  async #place(requests: readonly Request[]): Promise<void> {
    let group = requests;
    try {
      await this.#options.ready();
      // From here on in one turn: what fails meanwhile must not be followed.
      group = requests.filter((request) => !this.#isRefused(request));
      const progress = new Map<string, number>();
      const fresh = group.map(({ contents }) => contents.filter((content) => this.#isFresh(content, progress)));
      const contents = fresh.flat();
      const published = contents.length > 0 ? this.#options.publish(contents) : undefined;
      // Whoever sends again what is on its way hears of the same end.
      const durable = published === undefined ? this.#lastPlaced() : (await published).durable;
      for (const [run, line] of progress) {
        this.#resume(run, line);
        remember(this.#progress, run, line);
      }
      const repeated = new Set(group.filter((_, index) => fresh[index]?.length === 0));
      this.#last = durable;
      const settled = this.#settle(group, { durable, progress, repeated });
      this.#placed.add(settled);
      void settled.finally(() => this.#placed.delete(settled));
    } catch (error) {
      if (group.length > 1 && !(error instanceof SsblogError)) {
        // Not the machine's state but one of the contents: only whose it is shall hear of it.
        for (const request of group) {
          await this.#room();
          await this.#place([request]);
        }
        return;
      }
      for (const request of group) this.#refuse(request, error);
    }
  }

  #lastPlaced(): Promise<void> {
    return this.#placed.size === 0 ? Promise.resolve() : this.#last;
  }

  /** Never rejects. */
  async #settle(group: readonly Request[], { durable, progress, repeated }: Group): Promise<void> {
    try {
      await durable;
      for (const request of group) request.resolve();
    } catch (error) {
      for (const run of progress.keys()) this.#progress.delete(run); // what the store has counts again
      for (const request of group) {
        // What was published before may be durable whatever became of this: its run goes on.
        if (repeated.has(request)) request.reject(error);
        else this.#refuse(request, error);
      }
    }
  }

  #refuse(request: Request, error: unknown): void {
    for (const content of request.contents) {
      const range = recordRange(content);
      if (range === undefined) continue;
      const before = this.#refused.get(range.run);
      const first = Math.min(range.first, before?.first ?? range.first);
      const last = Math.max(range.last, before?.last ?? 0);
      remember(this.#refused, range.run, { first, last, error });
    }
    request.reject(error);
  }

  /** What was refused behind the record that has its place now must come again before anything behind that. */
  #resume(run: string, line: number): void {
    const refusal = this.#refused.get(run);
    if (refusal === undefined) return;
    if (refusal.last <= line) this.#refused.delete(run);
    else if (refusal.first <= line) this.#refused.set(run, { ...refusal, first: line + 1 });
  }

  /** Refuses what would leave a gap. */
  #isRefused(request: Request): boolean {
    if (request.isSpooled) return false;
    const resumed = new Set<string>();
    for (const content of request.contents) {
      const range = recordRange(content);
      if (range === undefined || resumed.has(range.run)) continue;
      const refused = this.#refused.get(range.run);
      if (refused !== undefined && range.first > refused.first) {
        this.#refuse(request, refused.error);
        return true;
      }
      resumed.add(range.run);
    }
    return false;
  }

  #takeGroup(): Request[] {
    let messages = 0;
    let count = 0;
    for (const { contents } of this.#queue) {
      if (count > 0 && messages + contents.length > GROUP_MESSAGES) break;
      messages += contents.length;
      count += 1;
    }
    const group = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return group;
  }

  /** A run's records come in order, so one number says which of them are published. */
  #isFresh(content: Content, progress: Map<string, number>): boolean {
    const range = recordRange(content);
    if (range === undefined) return true;
    const published = progress.get(range.run) ?? this.#published(range.run);
    if (range.last <= published) return false;
    progress.set(range.run, range.last);
    return true;
  }

  #published(run: string): number {
    return this.#progress.get(run) ?? this.#options.storedProgress(run);
  }
}

/** Keeps the runs that were used last. */
function remember<T>(runs: Map<string, T>, run: string, value: T): void {
  runs.delete(run); // so that the map's order is that of last use
  runs.set(run, value);
  if (runs.size <= REMEMBERED_RUNS) return;
  const [oldest] = runs.keys();
  if (oldest !== undefined) runs.delete(oldest);
}

/** Which records of which run a content carries. */
function recordRange(content: Content): { run: string; first: number; last: number } | undefined {
  if (content.type === 'log') {
    return content.run === undefined || content.line === undefined
      ? undefined
      : { run: content.run, first: content.line, last: content.line };
  }
  if (content.type === 'log-block')
    return { run: content.run, first: content.line, last: content.line + content.lines - 1 };
  return undefined;
}
