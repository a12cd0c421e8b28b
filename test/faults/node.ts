/** A machine under attack: its daemon can be killed at named points, and its feeds are read from its store as they lie there. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { freePort } from '../helpers/free-port.ts';
import { type InitAnswer, TEST_ENGINE } from '../helpers/machine.ts';
import type { Result, Running } from '../helpers/running.ts';
import type { Sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { NO_POINT, type Point, type Points } from './points.ts';

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'preload', 'preload.js')).href;

export const FAULTS_ENGINE = process.env.SSBLOG_TEST_ENGINE === undefined ? 'sqlite' : TEST_ENGINE;

let orders = 0;

/** Where a process is told at which point it is to be killed. */
export interface Order {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KeptMessage {
  readonly sequence: number;
  readonly key: string;
  readonly previous: string | null;
}

export class FaultyNode {
  readonly box: Sandbox;
  readonly name: string;
  readonly id: string;
  readonly dir: string;
  readonly port: number;
  readonly #points: Points;
  #daemon: { running: Running; order: Order } | undefined;
  /** What all its daemons said. */
  #said = '';

  private constructor(box: Sandbox, points: Points, answer: InitAnswer) {
    this.box = box;
    this.#points = points;
    this.name = answer.name;
    this.id = answer.id;
    this.dir = answer.path;
    this.port = answer.port;
  }

  static async make(
    box: Sandbox,
    points: Points,
    name: string,
    given: { networkKey: string; port: number; dir?: string },
  ): Promise<FaultyNode> {
    const dir = given.dir ?? box.path(name);
    const args = ['init', '--path', dir, '--name', name, '--network-key', given.networkKey, '--port', `${given.port}`];
    const result = await box.ssblog([...args, '--engine', FAULTS_ENGINE, '--json']);
    if (result.code !== 0) throw new Error(result.stderr);
    return new FaultyNode(box, points, JSON.parse(result.text) as InitAnswer);
  }

  /** A copy of the directory, as somebody makes who moves to another machine and keeps the first. */
  async cloneTo(dir: string): Promise<FaultyNode> {
    cpSync(this.dir, dir, { recursive: true });
    const file = join(dir, 'config.json');
    const port = await freePort();
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), port }));
    const { name, id } = this;
    return new FaultyNode(this.box, this.#points, { name: `clone of ${name}`, id, path: dir, port, networkKey: '' });
  }

  /** @param port of a link that leads to it */
  address(port = this.port): string {
    return `net:127.0.0.1:${port}~shs:${this.id.slice(1).replace('.ed25519', '')}`;
  }

  get isRunning(): boolean {
    return this.#daemon !== undefined && !this.#daemon.running.hasEnded;
  }

  get said(): string {
    return `${this.#said}${this.#daemon?.running.result.stderr ?? ''}`;
  }

  get daemon(): Running {
    if (this.#daemon === undefined) throw new Error(`the daemon of ${this.name} is not running`);
    return this.#daemon.running;
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Starts the daemon, which then may be killed at `point` while it starts. Resolves when it is ready or has ended. */
  async start(point?: Point): Promise<void> {
    this.#forget();
    const order = newOrder(this.box, this.#points, point);
    const running = this.spawn(['start'], order);
    this.#daemon = { running, order };
    await waitFor(
      `the daemon of ${this.name} to be ready`,
      () => running.hasEnded || running.result.stderr.includes('listening'),
      { everyMs: 10, detail: () => this.said },
    );
    if (running.hasEnded && (await running.exit).signal !== 'SIGKILL') {
      throw new Error(`the daemon of ${this.name} ended by itself: ${JSON.stringify(running.result)}`);
    }
  }

  /** Starts it unless it runs, and takes back what it was ordered. */
  async mend(): Promise<void> {
    if (this.isRunning) await this.arm(NO_POINT);
    if (this.isRunning) return;
    await this.requireKilled();
    await this.start();
  }

  /** The running daemon will be killed at this point. */
  async arm(point: Point): Promise<void> {
    if (this.#daemon === undefined) throw new Error('nothing to arm');
    const { running, order } = this.#daemon;
    writeOrder(order, point);
    running.kill('SIGUSR2');
    await waitFor(`${this.name} to take its order`, () => running.hasEnded || !existsSync(order.file), { everyMs: 5 });
  }

  async kill9(): Promise<void> {
    if (this.#daemon === undefined) return;
    this.#daemon.running.kill('SIGKILL');
    await this.#daemon.running.exit;
    this.#forget();
  }

  /** @throws when it ends otherwise than in order */
  async stop(): Promise<void> {
    const { running } = this.#daemon ?? {};
    if (running === undefined || running.hasEnded) return;
    running.kill('SIGTERM');
    const { code, signal } = await running.done();
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`${this.name} ended with ${code}:\n${this.said}`);
    this.#forget();
  }

  /** A daemon ends because somebody killed it, never by itself. */
  async requireKilled(): Promise<void> {
    if (this.#daemon === undefined || !this.#daemon.running.hasEnded) return;
    const { code, signal } = await this.#daemon.running.exit;
    if (signal !== 'SIGKILL') throw new Error(`the daemon of ${this.name} ended with ${code ?? signal}:\n${this.said}`);
    this.#forget();
  }

  spawn(args: readonly string[], order: Order): Running {
    return this.box.spawnSsblog(['--path', this.dir, ...args], order.env);
  }

  run(...args: string[]): Promise<Result> {
    return this.box.ssblog(['--path', this.dir, ...args], { deadlineMs: 120_000 });
  }

  async must(...args: string[]): Promise<Result> {
    const result = await this.run(...args);
    if (result.code !== 0) throw new Error(`${this.name}: ${args.join(' ')}: ${result.stderr}\n${this.said}`);
    return result;
  }

  /** Files that wait in the spool, and files that are being written there. */
  spoolFiles(): string[] {
    try {
      return readdirSync(this.path('spool')).filter((name) => /\.jsonl/.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** The last sequence of every feed that it has. */
  clock(): Map<string, number> {
    return this.#read((db) => {
      const rows = db.prepare('SELECT feed, sequence FROM feeds ORDER BY feed').all();
      return new Map((rows as { feed: string; sequence: number }[]).map(({ feed, sequence }) => [feed, sequence]));
    });
  }

  messages(feed: string, after: number): KeptMessage[] {
    return this.#read((db) => {
      const rows = db
        .prepare(
          `SELECT sequence, key, json_extract(value, '$.previous') AS previous FROM messages
           WHERE feed = (SELECT id FROM feeds WHERE feed = ?) AND sequence > ? ORDER BY sequence`,
        )
        .all(feed, after);
      return rows as unknown as KeptMessage[];
    });
  }

  #read<T>(work: (db: InstanceType<typeof DatabaseSync>) => T): T {
    const db = new DatabaseSync(this.path('store.db'), { readOnly: true, timeout: 5_000 });
    try {
      return work(db);
    } finally {
      db.close();
    }
  }

  #forget(): void {
    this.#said = this.said.slice(-20_000);
    this.#daemon = undefined;
  }
}

/** @param point undefined: it is left alone */
export function newOrder(box: Sandbox, points: Points, point?: Point): Order {
  const file = box.path(`order-${++orders}`);
  const order = {
    file,
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, SSBLOG_FAULT_ORDER: file, SSBLOG_FAULT_HITS: points.file },
  };
  if (point !== undefined) writeOrder(order, point);
  return order;
}

function writeOrder({ file }: Order, { role, name, passages }: Point): void {
  writeFileSync(file, `${name} ${passages} ${role}:${name}\n`);
}
