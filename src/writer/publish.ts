/**
 * The daemon's writer: contents in, own messages out, in order, each once, many in one commit.
 * Knows nothing of engines or of who calls.
 */
import type { Content } from '../message/content.ts';
import { Loop } from './loop.ts';

/** At most this many messages are signed before the commit that makes them durable. */
const GROUP_MESSAGES = 128;

/** Runs whose progress is kept in memory; the store knows all of them. */
const REMEMBERED_RUNS = 1000;

export interface WriterOptions {
  /** Signs and stores; resolves when durable. */
  readonly publish: (contents: readonly Content[]) => Promise<void>;
  /** The highest record number of a run in this machine's own feed; 0 when there is none. */
  readonly storedProgress: (run: string) => number;
}

interface Request {
  readonly contents: readonly Content[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #progress = new Map<string, number>();
  #queue: Request[] = [];
  readonly #loop = new Loop(() => this.#publishQueue());

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all contents are durable. Records that were published before are left out: whoever is not
   * sure that its lines arrived sends them again.
   */
  write(contents: readonly Content[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ contents, resolve, reject });
      this.#loop.wake();
    });
  }

  /** Resolves when everything that was given is published or refused. */
  async idle(): Promise<void> {
    await this.#loop.idle();
  }

  async #publishQueue(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const progress = new Map<string, number>();
      const fresh = group.flatMap((request) => request.contents.filter((content) => this.#isFresh(content, progress)));
      try {
        if (fresh.length > 0) await this.#options.publish(fresh);
        for (const [run, line] of progress) this.#remember(run, line);
        for (const request of group) request.resolve();
      } catch (error) {
        for (const request of group) request.reject(error);
      }
    }
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

  #remember(run: string, line: number): void {
    this.#progress.delete(run); // so that the map's order is that of last use
    this.#progress.set(run, line);
    if (this.#progress.size <= REMEMBERED_RUNS) return;
    const [oldest] = this.#progress.keys();
    if (oldest !== undefined) this.#progress.delete(oldest);
  }
}

/** Which records of which run a content carries. */
function recordRange(content: Content): { run: string; last: number } | undefined {
  if (content.type === 'log') {
    return content.run === undefined || content.line === undefined
      ? undefined
      : { run: content.run, last: content.line };
  }
  if (content.type === 'log-block') return { run: content.run, last: content.line + content.lines - 1 };
  return undefined;
}
