/** Machines of a network, each driven through the real command line in processes of its own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import type { Result, Running } from './running.ts';
import { type Environment, type RunOptions, type Sandbox, sandbox } from './sandbox.ts';
import { waitFor } from './wait-for.ts';

export interface InitAnswer {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly port: number;
  readonly networkKey: string;
}

/** One line of `log --json`. */
export interface LogEntry {
  readonly at: number | string;
  readonly source: string;
  readonly destination?: string | null;
  readonly job?: string | null;
  readonly run?: string | null;
  readonly line?: number | null;
  readonly level?: string | null;
  readonly stream?: string | null;
  readonly text: string;
  readonly feed: string;
  readonly sequence: number;
}

export interface Status {
  readonly id: string;
  readonly name: string;
  readonly engine: string;
  readonly daemon: { readonly running: boolean; readonly pid?: number | null; readonly uptimeMs?: number | null };
  readonly lines: number;
  readonly messages: number;
  readonly machines: number;
  readonly addresses: readonly string[];
  readonly peers: readonly {
    readonly id: string;
    readonly name?: string | null;
    readonly address?: string | null;
    readonly direction: 'incoming' | 'outgoing';
    readonly sinceMs: number;
    readonly via: 'lan' | 'user' | null;
  }[];
  readonly lan: {
    readonly links: readonly { readonly name: string; readonly address: string; readonly problem: string | null }[];
    readonly found: readonly { readonly id: string; readonly addresses: readonly string[]; readonly wanted: boolean }[];
  };
  readonly replication: {
    readonly have: number;
    readonly known: number;
    readonly feeds: readonly { readonly id: string; readonly have: number; readonly known: number }[];
  };
  readonly paused: readonly { readonly id: string | null; readonly message: string; readonly hint: string }[];
  readonly hold: { readonly reason: string; readonly message: string; readonly hint: string } | null;
  readonly spool: { readonly files: number; readonly lines: number };
  readonly disk: { readonly bytes: number };
}

const POLL_MS = 250;

/** What keeps the feeds of the machines that tests make, unless a test says otherwise. */
export const TEST_ENGINE = process.env.SSBLOG_TEST_ENGINE ?? 'sqlite';

export function randomNetworkKey(): string {
  return randomBytes(32).toString('base64');
}

export class Machine {
  readonly box: Sandbox;
  readonly name: string;
  readonly id: string;
  readonly dir: string;
  readonly port: number;
  readonly networkKey: string;
  #daemon: Running | undefined;
  #env: Environment = {};

  private constructor(box: Sandbox, answer: InitAnswer) {
    this.box = box;
    this.name = answer.name;
    this.id = answer.id;
    this.dir = answer.path;
    this.port = answer.port;
    this.networkKey = answer.networkKey;
  }

  static async make(
    box: Sandbox,
    name: string,
    networkKey = randomNetworkKey(),
    engine = TEST_ENGINE,
    dir = box.path(name),
  ): Promise<Machine> {
    const port = await freePort();
    const args = ['init', '--path', dir, '--name', name, '--network-key', networkKey, '--engine', engine];
    const result = await box.ssblog([...args, '--port', String(port), '--json']);
    assert.equal(result.code, 0, result.stderr);
    return new Machine(box, JSON.parse(result.text) as InitAnswer);
  }

  /** A machine that `join` made. */
  static at(box: Sandbox, answer: InitAnswer): Machine {
    return new Machine(box, answer);
  }

  /** Makes a machine of a directory that another SSB program has used. */
  static async adopt(box: Sandbox, name: string, from: { dir: string; port: number; networkKey: string }) {
    const args = ['init', '--path', from.dir, '--name', name, '--network-key', from.networkKey];
    const result = await box.ssblog([...args, '--port', String(from.port), '--json']);
    assert.equal(result.code, 0, result.stderr);
    return new Machine(box, JSON.parse(result.text) as InitAnswer);
  }

  /** A second machine made by copying a directory, on a port of its own: it has the same identity. */
  static async copyOf(original: Machine, name: string): Promise<Machine> {
    const dir = original.box.path(name);
    copyDirectory(original.dir, dir);
    const file = join(dir, 'config.json');
    const config = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), port: await freePort() };
    writeFileSync(file, JSON.stringify(config));
    const { id, networkKey, box } = original;
    return new Machine(box, { name, id, path: dir, port: config.port, networkKey });
  }

  /** `net:127.0.0.1:PORT~shs:KEY` */
  get address(): string {
    return `net:127.0.0.1:${this.port}~shs:${this.id.slice(1).replace('.ed25519', '')}`;
  }

  get daemon(): Running {
    assert.ok(this.#daemon, `the daemon of ${this.name} is not running`);
    return this.#daemon;
  }

  async start(...flags: string[]): Promise<void> {
    this.#daemon = this.spawn('start', ...flags);
    await this.#daemon.waitForOutput('stderr', /listening/);
  }

  /** @returns the daemon's exit code */
  async stop(): Promise<number | null> {
    this.daemon.kill('SIGTERM');
    const { code, stderr } = await this.daemon.done();
    this.#daemon = undefined;
    if (code !== 0) process.stderr.write(`the daemon of ${this.dir} ended with ${code} and said:\n${stderr}`);
    return code;
  }

  async kill9(): Promise<void> {
    this.daemon.kill('SIGKILL');
    await this.daemon.exit;
    this.#daemon = undefined;
  }

  /** For all its processes that are started from now on. */
  setEnvironment(env: Environment): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Its clock is ahead by so much (behind: less than 0) in all processes that are started from now on. */
  shiftClock(ms: number): void {
    const code = `const now=Date.now;Date.now=()=>now()+${ms}`;
    this.#env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  }

  /** Time passes so many times faster in all processes that are started from now on: clock and timers. */
  hasten(factor: number): void {
    const code = `const now=Date.now,start=now(),{setTimeout:once,setInterval:again}=globalThis;
      Date.now=()=>start+(now()-start)*${factor};
      globalThis.setTimeout=(call,ms,...args)=>once(call,ms/${factor},...args);
      globalThis.setInterval=(call,ms,...args)=>again(call,ms/${factor},...args);`;
    this.#env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  }

  spawn(...args: string[]): Running {
    return this.box.spawnSsblog(['--path', this.dir, ...args], this.#env);
  }

  async run(...args: string[]): Promise<Result> {
    return this.runWith({}, ...args);
  }

  async runWith(options: RunOptions, ...args: string[]): Promise<Result> {
    return this.box.ssblog(['--path', this.dir, ...args], { ...options, env: { ...this.#env, ...options.env } });
  }

  /** Runs a command that must succeed. */
  async must(...args: string[]): Promise<Result> {
    return this.#checked(await this.run(...args), args);
  }

  /** Runs a command that must succeed, with `--json`, and parses its one answer. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await this.must(...args, '--json')).text) as T;
  }

  async status(): Promise<Status> {
    return this.json<Status>('status');
  }

  async pipe(input: string | Buffer, ...args: string[]): Promise<Result> {
    const result = await this.runWith({ input, deadlineMs: 120_000 }, 'pipe', ...args);
    return this.#checked(result, ['pipe', ...args]);
  }

  /** `log --json` with these filters, parsed. */
  async entries(...filters: string[]): Promise<LogEntry[]> {
    const { text } = await this.must('log', '--json', ...filters);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogEntry);
  }

  /** Waits until `log` with these arguments prints at least so many lines, and returns that output. */
  async waitForLog(lines: number, ...args: string[]): Promise<Result> {
    let seen = 0;
    return waitFor(
      `${lines} lines in the log of ${this.name}`,
      async () => {
        const result = await this.must('log', '--utc', ...args);
        seen = countLines(result.stdout);
        return seen >= lines ? result : undefined;
      },
      { everyMs: POLL_MS, detail: () => `there were ${seen} lines; its daemon said:\n${this.said}` },
    );
  }

  /** Waits until this machine's daemon is connected with the other's. */
  async waitForPeer(other: { readonly id: string }): Promise<void> {
    await waitFor(
      `${this.name} to be connected with ${other.id}`,
      async () => (await this.status()).peers.some((peer) => peer.id === other.id),
      { everyMs: POLL_MS, detail: () => `its daemon said:\n${this.said}` },
    );
  }

  /** Names of the files that it keeps. */
  get files(): string[] {
    return readdirSync(this.dir);
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  get said(): string {
    return this.#daemon?.result.stderr ?? '(it is not running)';
  }

  #checked(result: Result, args: readonly string[]): Result {
    const what = `${this.name}: ssblog ${args.join(' ')}`;
    assert.equal(result.code, 0, `${what}\n${result.stderr}\ndaemon:\n${this.said}`);
    return result;
  }
}

/** As a backup program does it: times and rights are kept. Sockets are no files to copy. */
export function copyDirectory(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, filter: (path) => basename(path) !== 'socket' });
}

export function countLines(output: Buffer): number {
  let count = 0;
  for (const byte of output) if (byte === 0x0a) count++;
  return count;
}

/** Machines with one network key in a sandbox of their own, not started. */
export async function network<const Names extends readonly string[]>(
  t: TestContext,
  ...names: Names
): Promise<{ -readonly [Index in keyof Names]: Machine }> {
  const box = sandbox(t);
  const key = randomNetworkKey();
  const machines: Machine[] = [];
  for (const name of names) machines.push(await Machine.make(box, name, key));
  return machines as { -readonly [Index in keyof Names]: Machine };
}

export async function startAll(...machines: Machine[]): Promise<void> {
  await Promise.all(machines.map((machine) => machine.start()));
}

/** `from` follows `to` and connects to it. */
export async function link(from: Machine, to: Machine): Promise<void> {
  await from.must('follow', to.id);
  await from.must('connect', to.address);
}

/** Both follow each other; `from` connects. */
export async function befriend(from: Machine, to: Machine): Promise<void> {
  await to.must('follow', from.id);
  await link(from, to);
}
