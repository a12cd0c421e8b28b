/** Starts the thread that looks for patterns, and ends it when one of them takes too long. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

interface Pattern {
  readonly source: string;
  readonly flags: string;
  readonly jobs: readonly string[] | undefined;
  readonly machines: readonly string[] | undefined;
}

export interface MatchTask {
  readonly storeFile: string;
  /** This machine's feed. */
  readonly self: string;
  /** Rows of the store after this one; null: those that come. */
  readonly afterRow: number | null;
  readonly patterns: readonly Pattern[];
  /** Which pattern is tried now (from 1; 0: none), and how many times one was. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

export interface FoundLine {
  readonly pattern: number;
  readonly machine: string;
  readonly feed: string;
  readonly job: string | undefined;
  readonly source: string;
  readonly destination: string | undefined;
  readonly run: string | undefined;
  readonly sequence: number;
  readonly at: number;
  readonly text: string;
}

/** What the thread says. */
export interface MatchWord {
  /** It has looked at all rows up to this one; null: they were made anew, and it has ended. */
  readonly row: number | null;
  readonly found: readonly FoundLine[];
}

export interface MatcherOptions extends Omit<MatchTask, 'progress'> {
  readonly onWord: (word: MatchWord) => void;
  /** A pattern took too long with one line: it is not looked for any more. */
  readonly onHung: (pattern: number) => void;
  readonly notice: (text: string) => void;
  readonly hungAfterMs?: number;
}

export interface Matcher {
  close(): Promise<void>;
}

/** No line is so long that a sound pattern would take this. */
const HUNG_AFTER_MS = 5_000;
const RESTART_MS = 10_000;

export function startMatcher(options: MatcherOptions): Matcher {
  const { onWord, onHung, notice, hungAfterMs = HUNG_AFTER_MS } = options;
  const off = new Set<number>();
  let row = options.afterRow;
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let isClosed = false;
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const watched = { count: 0, since: performance.now() };

  const start = () => {
    const indexes = [...options.patterns.keys()].filter((index) => !off.has(index));
    if (isClosed || indexes.length === 0) return;
    progress.fill(0);
    const { storeFile, self, patterns } = options;
    const chosen = indexes.flatMap((index) => patterns[index] ?? []);
    const task: MatchTask = { storeFile, self, afterRow: row, patterns: chosen, progress };
    const thread = new Worker(workerFile(), { workerData: task });
    worker = thread;
    thread.unref();
    const again = () => {
      if (worker !== thread || isClosed) return;
      worker = undefined;
      restart = setTimeout(start, RESTART_MS).unref();
    };
    thread.on('message', (word: MatchWord) => {
      if (worker !== thread) return;
      row = word.row;
      const found = word.found.map((line) => ({ ...line, pattern: indexes[line.pattern] ?? 0 }));
      onWord({ row, found });
    });
    thread.on('error', (error) => {
      notice(`lines could not be looked at for notifications: ${error.message}`);
      again();
    });
    thread.on('exit', again);
  };

  const look = () => {
    const current = Atomics.load(progress, 0);
    const count = Atomics.load(progress, 1);
    if (current === 0 || count !== watched.count) {
      Object.assign(watched, { count, since: performance.now() });
      return;
    }
    if (performance.now() - watched.since < hungAfterMs) return;
    const indexes = [...options.patterns.keys()].filter((index) => !off.has(index));
    const hung = indexes[current - 1] ?? 0;
    off.add(hung);
    const thread = worker;
    worker = undefined;
    void thread?.terminate();
    onHung(hung);
    start();
  };
  const timer = setInterval(look, hungAfterMs / 5).unref();
  start();

  return {
    async close() {
      isClosed = true;
      clearInterval(timer);
      clearTimeout(restart);
      await worker?.terminate();
    },
  };
}

/** Beside this file, as it is written and as it is built (build.js). */
function workerFile(): URL {
  const written = new URL('./match-worker.ts', import.meta.url);
  return existsSync(written) ? written : new URL('./match-worker.js', import.meta.url);
}
