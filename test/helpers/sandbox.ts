/** Where one test happens: a temporary directory, a home of its own, and every process that it started. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { guardDirectory } from './guard.ts';
import { type Result, Running } from './running.ts';

export const PROJECT = join(import.meta.dirname, '..', '..');
export const SSBLOG = join(PROJECT, 'bin', 'ssblog.js');

export type Environment = Readonly<Record<string, string>>;

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Environment;
  readonly deadlineMs?: number;
}

export interface SandboxOptions {
  /** What each process is started by, as `nice` is. */
  readonly command?: readonly string[];
  readonly env?: Environment;
}

export class Sandbox {
  readonly dir: string;
  readonly env: Environment;
  readonly #command: readonly string[];
  readonly #running = new Set<Running>();

  constructor({ command = [], env = {} }: SandboxOptions = {}) {
    this.#command = command;
    this.dir = mkdtempSync(join(tmpdir(), 'ssblog-'));
    guardDirectory(this.dir);
    const home = this.path('home');
    mkdirSync(home);
    this.env = {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: tmpdir(),
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      SSBLOG_HOST: '127.0.0.1',
      SSBLOG_LAN: 'false',
      ...env,
    };
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Starts a process; it is killed when the test ends. */
  spawn(file: string, args: readonly string[], env: Environment = {}): Running {
    const [first = file, ...rest] = [...this.#command, file, ...args];
    const running = new Running(first, rest, { cwd: this.dir, env: { ...this.env, ...env } });
    this.#running.add(running);
    void running.exit.finally(() => this.#running.delete(running));
    return running;
  }

  async run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const running = this.spawn(file, args, options.env);
    running.endInput(options.input);
    return running.done(options.deadlineMs);
  }

  spawnSsblog(args: readonly string[], env: Environment = {}): Running {
    return this.spawn(process.execPath, [SSBLOG, ...args], env);
  }

  async ssblog(args: readonly string[], options: RunOptions = {}): Promise<Result> {
    return this.run(process.execPath, [SSBLOG, ...args], options);
  }

  async close(): Promise<void> {
    const running = [...this.#running];
    for (const one of running) one.kill('SIGKILL');
    await Promise.all(running.map((one) => one.exit));
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A sandbox that is closed when the test ends, however it ends. */
export function sandbox(t: TestContext): Sandbox {
  const box = new Sandbox();
  t.after(() => box.close());
  return box;
}
