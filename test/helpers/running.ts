/** A process that a test started: its output so far, its input, its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { execa, type Options, type ResultPromise } from 'execa';
import { guardProcess, releaseProcess } from './guard.ts';
import { DEADLINE_MS, waitFor } from './wait-for.ts';

export interface Exit {
  /** null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Result extends Exit {
  readonly stdout: Buffer;
  /** stdout as UTF-8. */
  readonly text: string;
  readonly stderr: string;
}

export interface SpawnOptions {
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

type Subprocess = ResultPromise<Options & { buffer: false }>;

export class Running {
  readonly command: string;
  /** Settles when the process has ended and all its output has been read. */
  readonly exit: Promise<Exit>;
  readonly #subprocess: Subprocess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(file: string, args: readonly string[], options: SpawnOptions) {
    this.command = [file, ...args].join(' ');
    this.#subprocess = execa(file, args, {
      cwd: options.cwd,
      env: { ...options.env },
      extendEnv: false,
      stdin: 'pipe',
      buffer: false,
      reject: false,
    }) as Subprocess;
    if (this.pid !== undefined) guardProcess(this.pid);
    // A process that ends without reading its input is no failure of the test.
    this.#subprocess.stdin?.on('error', () => {});
    this.exit = this.#end();
  }

  get pid(): number | undefined {
    return this.#subprocess.pid;
  }

  /** Everything written so far. */
  get result(): Result {
    const stdout = Buffer.concat(this.#stdout);
    return {
      code: this.#subprocess.exitCode,
      signal: this.#subprocess.signalCode,
      stdout,
      text: stdout.toString('utf8'),
      stderr: Buffer.concat(this.#stderr).toString('utf8'),
    };
  }

  get hasEnded(): boolean {
    return this.#subprocess.exitCode !== null || this.#subprocess.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#subprocess.kill(signal);
  }

  /** As a reader that leaves: what the process writes then fails. */
  stopReadingStderr(): void {
    this.#subprocess.stderr?.destroy();
  }

  /** Writes to stdin; resolves when the process has taken it in. */
  async write(input: string | Buffer): Promise<void> {
    const { stdin } = this.#subprocess;
    if (stdin === null || stdin.write(input)) return;
    // An error means that it is ending, or has ended, without reading on.
    await Promise.race([once(stdin, 'drain').catch(() => this.exit), this.exit]);
  }

  endInput(input?: string | Buffer): void {
    if (input === undefined) this.#subprocess.stdin?.end();
    else this.#subprocess.stdin?.end(input);
  }

  /** Stops reading stdout, as `head` does when it has seen enough. */
  closeOutput(): void {
    this.#subprocess.stdout?.destroy();
  }

  /**
   * Waits for the end of the process; kills it when the deadline passes.
   * @throws when the deadline passes
   */
  async done(deadlineMs = DEADLINE_MS): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), deadlineMs);
    });
    const outcome = await Promise.race([this.exit, late]);
    clearTimeout(timer);
    if (outcome !== 'late') return { ...this.result, ...outcome };
    this.kill('SIGKILL');
    throw new Error(`did not end within ${deadlineMs} ms: ${this.command}\n${this.result.stderr}`);
  }

  /**
   * Settles at once when the process writes on, to stdout or stderr, or ends.
   * @throws when it does neither until the deadline passes
   */
  nextOutput(deadlineMs = DEADLINE_MS): Promise<void> {
    if (this.hasEnded) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`wrote nothing for ${deadlineMs} ms: ${this.command}\n${this.result.text}`));
      const timer = setTimeout(late, deadlineMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** @throws when the process ends without having written it, or the deadline passes */
  async waitForOutput(where: 'text' | 'stderr', pattern: RegExp): Promise<RegExpMatchArray> {
    return waitFor(
      `${pattern} on ${where === 'text' ? 'stdout' : 'stderr'} of ${this.command}`,
      () => {
        const match = this.result[where].match(pattern);
        if (match === null && this.hasEnded) {
          assert.fail(`ended without ${pattern}: ${this.command}\n${this.result.text}\n${this.result.stderr}`);
        }
        return match;
      },
      { everyMs: 20, detail: () => `${this.result.text}\n${this.result.stderr}` },
    );
  }

  async #end(): Promise<Exit> {
    const { stdout, stderr } = this.#subprocess;
    const tell = () => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    await Promise.all([collect(stdout, this.#stdout, tell), collect(stderr, this.#stderr, tell)]);
    const { exitCode, signal } = await this.#subprocess;
    tell();
    if (this.pid !== undefined) releaseProcess(this.pid);
    return { code: exitCode ?? null, signal: signal ?? null };
  }
}

async function collect(stream: Readable | null, chunks: Buffer[], tell: () => void): Promise<void> {
  if (stream === null) return;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      tell();
    }
  } catch (error) {
    // `closeOutput` ends the reading early.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
