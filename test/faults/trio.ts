/**
 * One sender and two followers on links that can fail. All follow each other; the first follower dials the sender, the
 * sender dials the second.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { freePort } from '../helpers/free-port.ts';
import { Link } from '../helpers/link.ts';
import type { Random } from '../helpers/random.ts';
import type { Running } from '../helpers/running.ts';
import { Sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { FaultyNode, newOrder } from './node.ts';
import { Obligations, type Producer, type Tally } from './obligations.ts';
import type { Point, Points } from './points.ts';

/** After faults, everything must be everywhere within this time: redialling alone may take half a minute. */
const SETTLE_MS = 90_000;

export interface Attempt {
  readonly producer: Producer;
  readonly pipe: Running;
}

export interface Figures extends Tally {
  readonly sent: number;
  readonly acknowledged: number;
  readonly forks: number;
}

/** Figures in words, of one or of several. */
export function inWords(...figures: readonly Figures[]): string {
  const sum = (key: keyof Figures) => figures.reduce((total, one) => total + one[key], 0);
  return (
    `lines sent ${sum('sent')}, acknowledged ${sum('acknowledged')}, delivered ${sum('delivered')}, ` +
    `lost ${sum('lost')}, doubled ${sum('doubled')}, wrong ${sum('wrong')}, forks ${sum('forks')}`
  );
}

export interface TrioOptions {
  /** Directories that are not in the sandbox: on a disk of their own. */
  readonly sender?: string;
  readonly follower?: string;
}

export class Trio {
  readonly box: Sandbox;
  readonly sender: FaultyNode;
  readonly followers: readonly [FaultyNode, FaultyNode];
  readonly links: readonly [Link, Link];
  readonly obligations: Obligations;
  readonly total: Tally = { delivered: 0, lost: 0, doubled: 0, wrong: 0 };
  forks = 0;
  readonly #points: Points;
  readonly #random: Random;
  readonly #checked = new Map<string, number>();

  private constructor(
    box: Sandbox,
    points: Points,
    random: Random,
    sender: FaultyNode,
    followers: readonly [FaultyNode, FaultyNode],
    links: readonly [Link, Link],
  ) {
    this.box = box;
    this.#points = points;
    this.#random = random;
    this.sender = sender;
    this.followers = followers;
    this.links = links;
    this.obligations = new Obligations(random);
  }

  static async make(points: Points, random: Random, directories: TrioOptions = {}): Promise<Trio> {
    const box = new Sandbox();
    const networkKey = randomBytes(32).toString('base64');
    const make = async (name: string, dir: string | undefined) =>
      FaultyNode.make(box, points, name, { networkKey, port: await freePort(), ...(dir !== undefined && { dir }) });
    const sender = await make('sender', directories.sender);
    const near = await make('near', directories.follower);
    const far = await make('far', undefined);
    const links = [await Link.to(sender.port), await Link.to(far.port)] as const;
    const trio = new Trio(box, points, random, sender, [near, far], links);
    for (const one of trio.nodes) {
      for (const other of trio.nodes) if (one !== other) await one.must('follow', other.id);
    }
    await near.must('connect', sender.address(links[0].port));
    await sender.must('connect', far.address(links[1].port));
    for (const node of trio.nodes) await node.start();
    return trio;
  }

  get figures(): Figures {
    const { obligations, total, forks } = this;
    return { sent: obligations.count(), acknowledged: obligations.count('acknowledged'), ...total, forks };
  }

  get nodes(): readonly FaultyNode[] {
    return [this.sender, ...this.followers];
  }

  /** Starts a `pipe` for a new producer; nothing is written to it yet. */
  attempt(
    lines: number,
    options: { point?: Point | undefined; args?: readonly string[]; maxBytes?: number; node?: FaultyNode } = {},
  ): Attempt {
    const producer = this.obligations.newProducer(lines, options.maxBytes);
    const order = newOrder(this.box, this.#points, options.point);
    const args = ['pipe', '--json', '--source', producer.source, ...(options.args ?? [])];
    return { producer, pipe: (options.node ?? this.sender).spawn(args, order) };
  }

  /**
   * Waits for the end of a pipe, and writes down what it promised.
   * @param mayLose it may say that lines are lost: neither peer nor spool could take them
   */
  async finish({ producer, pipe }: Attempt, mayLose = false): Promise<void> {
    const { code, signal, text, stderr } = await pipe.done(SETTLE_MS);
    // A summary that was printed is a promise, whatever happened after it.
    const summary = text.endsWith('\n') ? (JSON.parse(text) as { lines: number }) : undefined;
    if (summary !== undefined && summary.lines !== producer.lines.length && code === 0) {
      throw new Error(`pipe of ${producer.source} took ${summary.lines} lines of ${producer.lines.length}`);
    }
    if (code === 0 || summary !== undefined) producer.promised = 'acknowledged';
    else if (signal === 'SIGKILL') producer.promised = 'broken';
    else if (mayLose && code === 1 && /lines are lost/.test(stderr)) producer.promised = 'broken';
    else throw new Error(`pipe of ${producer.source} ended with ${code ?? signal}: ${stderr}`);
  }

  /** A `pipe` that finds no daemon cannot be its own peer either, until `clear`: only the spool is left. */
  async obstruct(): Promise<void> {
    rmSync(this.sender.path('lock'), { force: true });
    mkdirSync(this.sender.path('lock'));
  }

  clear(): void {
    rmdirSync(this.sender.path('lock'));
  }

  /**
   * The end of faults: everything runs, and what was promised must come to be, everywhere. Then a new line must flow.
   * @param producers whose lines are looked at
   * @throws when it does not
   */
  async settle(producers: readonly Producer[]): Promise<void> {
    for (const link of this.links) link.resume();
    for (const node of this.nodes) await node.mend();
    const last = this.attempt(1);
    last.pipe.endInput(last.producer.lines[0]);
    await this.finish(last);
    await this.#agree();
    this.checkFeeds();
    await this.checkLogs([...producers, last.producer]);
  }

  /** Waits until nothing is in the spool and all have all of each other's feeds. */
  async #agree(): Promise<void> {
    const show = () =>
      this.nodes
        .map((node) => `${node.name}: ${JSON.stringify([...node.clock()])}\n${node.said.slice(-3_000)}`)
        .join('\n');
    try {
      await waitFor(
        'spool to be empty and feeds to be the same on all machines',
        async () => {
          for (const node of this.nodes) await node.requireKilled();
          if (this.sender.spoolFiles().length > 0) return false;
          const [own, ...others] = this.nodes.map((node) => JSON.stringify([...node.clock()]));
          return others.every((other) => other === own);
        },
        { deadlineMs: SETTLE_MS, everyMs: 50, detail: () => `spool: ${this.sender.spoolFiles()}\n${show()}` },
      );
    } catch (error) {
      // What it came to, for the figures at the end.
      this.#countForks();
      await this.checkLogs().catch((worse: Error) => {
        throw new Error(`${(error as Error).message}\n${worse.message}`, { cause: error });
      });
      throw error;
    }
  }

  /** Feeds of which two machines have different messages of one number. */
  #countForks(): void {
    for (const feed of this.sender.clock().keys()) {
      const [own, ...others] = this.nodes.map((node) => node.messages(feed, 0));
      const isForked = others.some((other) => other.some(({ key }, index) => (own?.[index]?.key ?? key) !== key));
      if (isForked) this.forks += 1;
    }
  }

  /** Every message is the same everywhere and follows the one before it. */
  checkFeeds(fromStart = false): void {
    if (fromStart) this.#checked.clear();
    for (const [feed, last] of this.sender.clock()) {
      const after = this.#checked.get(feed) ?? 0;
      const [own = [], ...others] = this.nodes.map((node) => node.messages(feed, after));
      own.forEach((message, index) => {
        const before = index === 0 ? undefined : own[index - 1];
        const isChained =
          message.sequence === after + index + 1 && (before === undefined || message.previous === before.key);
        const isSame = others.every((other) => other[index]?.key === message.key);
        if (isChained && isSame) return;
        this.forks += 1;
        throw new Error(`message ${message.sequence} of ${feed} is not the same everywhere, or follows another one`);
      });
      this.#checked.set(feed, last - 1); // its last one is looked at again, as what the next one follows
    }
  }

  /** @param producers undefined: the whole log */
  async checkLogs(producers?: readonly Producer[]): Promise<void> {
    const of = producers ?? this.obligations.producers;
    const filters = producers === undefined ? [] : producers.flatMap(({ source }) => ['--source', source]);
    const complaints: string[] = [];
    for (const node of this.nodes) {
      const { stdout } = await node.must('log', '--utc', ...filters);
      const result = this.obligations.check(stdout, of);
      complaints.push(...result.complaints.map((text) => `${node.name}: ${text}`));
      for (const key of ['lost', 'doubled', 'wrong'] as const) this.total[key] += result.tally[key];
      if (producers === undefined && node === this.followers[0]) this.total.delivered = result.tally.delivered;
    }
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  /** Writes a producer's lines to its pipe, in pieces as they may come, and ends it. */
  async feed({ producer, pipe }: Attempt): Promise<void> {
    const { lines } = producer;
    for (let start = 0; start < lines.length && !pipe.hasEnded; ) {
      const count = 1 + this.#random.below(this.#random.pick([3, 30, lines.length]));
      await pipe.write(Buffer.concat(lines.slice(start, start + count)));
      start += count;
      await new Promise((resolve) => setTimeout(resolve, this.#random.below(30)));
    }
    pipe.endInput();
  }

  /** Ends everything. @param keep where to put the directories; undefined: they are removed */
  async close(keep?: string): Promise<void> {
    for (const node of this.nodes) if (node.isRunning) await node.kill9();
    for (const link of this.links) await link.close();
    if (keep !== undefined && existsSync(this.box.dir)) renameSync(this.box.dir, keep);
    await this.box.close();
  }
}
