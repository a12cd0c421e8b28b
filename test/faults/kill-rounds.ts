/** Rounds in which processes are killed, at named points and at any moment, while lines come. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../helpers/random.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { FaultyNode } from './node.ts';
import type { Point, Points, Role } from './points.ts';
import type { Attempt, Trio } from './trio.ts';

/** A kill at any moment comes within this time. */
const MAX_DELAY_MS = 800;

/** Of the sender in one round, while lines come. */
const MAX_RESTARTS = 3;

export class KillRounds {
  readonly #trio: Trio;
  readonly #points: Points;
  readonly #random: Random;
  /** For what is said when a round fails. */
  #story: string[] = [];

  constructor(trio: Trio, points: Points, random: Random) {
    this.#trio = trio;
    this.#points = points;
    this.#random = random;
  }

  /** One round. @throws when a promise is broken, with what was done */
  async run(round: number): Promise<void> {
    this.#story = [];
    try {
      const attempts = await this.#chooseKind(round)();
      await this.#trio.settle(attempts.map(({ producer }) => producer));
    } catch (error) {
      throw new Error(`${this.#story.join('; ')}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** What was done in the last round. */
  get story(): string {
    return this.#story.join('; ');
  }

  /** Each kind in turn as long as it has points that were not hit; then mostly with a daemon, as in life. */
  #chooseKind(round: number): () => Promise<Attempt[]> {
    const kinds: readonly { run: () => Promise<Attempt[]>; roles: readonly Role[] }[] = [
      { run: () => this.#withDaemon(), roles: ['sender', 'connected', 'pipe', 'follower'] },
      { run: () => this.#alone(), roles: ['alone', 'starting'] },
      { run: () => this.#spooling(), roles: ['spooling', 'draining'] },
    ];
    const open = kinds.filter(({ roles }) => roles.some((role) => this.#points.missing(role).length > 0));
    const inTurn = open[round % open.length];
    if (inTurn !== undefined) return inTurn.run;
    return this.#random.below(3) === 0 ? this.#random.pick(kinds).run : () => this.#withDaemon();
  }

  async #withDaemon(): Promise<Attempt[]> {
    const { sender, followers, links } = this.#trio;
    const isConnecting = this.#points.missing('connected').length > 0 || this.#random.below(6) === 0;
    const kills: Promise<void>[] = [];
    await this.#doom(sender, isConnecting ? 'connected' : 'sender', kills);
    await this.#doomSome(followers, 'follower', kills);
    const attempts = this.#startPipes('pipe');
    if (this.#random.below(4) === 0) kills.push(this.#disturbLink());
    // It writes its addresses down at once when it is told of one.
    if (isConnecting) kills.push(sender.run('connect', followers[1].address(links[1].port)).then(() => undefined));
    const feeding = attempts.map((attempt) => this.#trio.feed(attempt));
    await this.#startAgain(attempts);
    await this.#finishAll(attempts, feeding);
    await Promise.all(kills);
    return attempts;
  }

  /** Somebody may start the sender again while the pipes go on by themselves, and it may be killed again. */
  async #startAgain(attempts: readonly Attempt[]): Promise<void> {
    const { sender } = this.#trio;
    for (let times = 0; times < MAX_RESTARTS; times += 1) {
      const isMissing = this.#points.missing('sender').length > 0;
      if (!isMissing && this.#random.below(2) === 0) return;
      await Promise.race([sender.daemon.exit, Promise.all(attempts.map(({ pipe }) => pipe.exit))]);
      await sender.requireKilled();
      if (sender.isRunning || attempts.every(({ pipe }) => pipe.hasEnded)) return;
      const isDoomed = isMissing || this.#random.below(2) === 0;
      await sender.start(isDoomed ? this.#choose('sender', 'sender, started again,') : undefined);
    }
  }

  async #alone(): Promise<Attempt[]> {
    const { sender, followers } = this.#trio;
    await this.#endSender();
    const kills: Promise<void>[] = [];
    await this.#doomSome(followers, 'follower', kills);
    const attempts = this.#startPipes('alone');
    await this.#finishAll(
      attempts,
      attempts.map((attempt) => this.#trio.feed(attempt)),
    );
    await this.#startUnderFire(sender, 'starting');
    await Promise.all(kills);
    return attempts;
  }

  async #spooling(): Promise<Attempt[]> {
    const { sender, followers } = this.#trio;
    await this.#endSender();
    await this.#trio.obstruct();
    // A line that is surely in the spool, so that there is something to drain.
    const sure = this.#trio.attempt(1);
    sure.pipe.endInput(sure.producer.lines[0]);
    const attempts = [sure, ...this.#startPipes('spooling')];
    const feeding = attempts.slice(1).map((attempt) => this.#trio.feed(attempt));
    await this.#trio.finish(sure);
    const isEarly = this.#random.below(2) === 0;
    if (!isEarly) await this.#finishAll(attempts.slice(1), feeding);
    for (const { pipe } of attempts) {
      await waitFor('the pipe to turn to the spool', () => pipe.hasEnded || /lines wait/.test(pipe.result.stderr), {
        everyMs: 10,
      });
    }
    this.#trio.clear();
    const kills: Promise<void>[] = [];
    await this.#doomSome(followers, 'follower', kills);
    await this.#startUnderFire(sender, 'draining');
    if (isEarly) await this.#finishAll(attempts.slice(1), feeding);
    await Promise.all(kills);
    return attempts;
  }

  async #finishAll(attempts: readonly Attempt[], feeding: readonly Promise<void>[]): Promise<void> {
    await Promise.all(feeding);
    await Promise.all(attempts.map((attempt) => this.#trio.finish(attempt)));
  }

  async #endSender(): Promise<void> {
    const { sender } = this.#trio;
    const isOrderly = this.#random.below(2) === 0;
    this.#story.push(isOrderly ? 'sender stopped' : 'sender killed at rest');
    await (isOrderly ? sender.stop() : sender.kill9());
  }

  /** Starts a daemon that is killed while it starts, again and again. */
  async #startUnderFire(node: FaultyNode, role: Role): Promise<void> {
    for (let times = 1 + this.#random.below(2); times > 0; times -= 1) {
      const point = this.#points.choose(role, 2);
      this.#story.push(`${node.name} started, to die at ${point.name} (${point.passages})`);
      await node.start(point);
      if (!node.isRunning) await node.requireKilled();
      else await node.kill9();
    }
  }

  #startPipes(role: Role): Attempt[] {
    const missing = this.#points.missing(role).length;
    const count = missing > 0 ? 1 + Math.min(missing, 4) : 1 + this.#random.below(3);
    return Array.from({ length: count }, (_, index) => {
      const lines = 1 + this.#random.below(this.#random.pick([5, 100, 3000]));
      const args = this.#random.pick([[], ['--no-blocks'], ['--job', 'nightly']]);
      const maxBytes = this.#random.below(8) === 0 ? 12_000 : 80;
      const isDoomed = missing > 0 ? index > 0 : this.#random.below(3) === 0;
      const point = isDoomed ? this.#choose(role, `pipe ${index}`) : undefined;
      const attempt = this.#trio.attempt(maxBytes > 80 ? Math.min(lines, 50) : lines, { point, args, maxBytes });
      this.#story.push(`${attempt.producer.source}: ${attempt.producer.lines.length} lines`);
      if (point === undefined && this.#random.below(4) === 0) void this.#killLater(attempt.pipe, 'pipe');
      return attempt;
    });
  }

  async #doomSome(nodes: readonly FaultyNode[], role: Role, kills: Promise<void>[]): Promise<void> {
    for (const node of nodes) {
      if (this.#points.missing(role).length > 0 || this.#random.below(2) === 0) await this.#doom(node, role, kills);
    }
  }

  /** Arms a daemon, or kills it at any moment: `kills` then has when that is done. */
  async #doom(node: FaultyNode, role: Role, kills: Promise<void>[]): Promise<void> {
    if (this.#points.missing(role).length === 0 && this.#random.below(3) === 0) {
      kills.push(this.#killLater(node.daemon, node.name));
    } else {
      await node.arm(this.#choose(role, node.name));
    }
  }

  #choose(role: Role, who: string): Point {
    const point = this.#points.choose(role);
    this.#story.push(`${who} to die at ${point.name} (${point.passages})`);
    return point;
  }

  async #killLater(running: { kill(signal: NodeJS.Signals): void; hasEnded: boolean }, who: string): Promise<void> {
    const afterMs = this.#random.below(MAX_DELAY_MS);
    this.#story.push(`${who} killed after ${afterMs} ms`);
    await delay(afterMs);
    if (!running.hasEnded) running.kill('SIGKILL');
  }

  async #disturbLink(): Promise<void> {
    const link = this.#random.pick(this.#trio.links);
    const fault = this.#random.pick(['cut', 'stall', 'near', 'far'] as const);
    const afterMs = this.#random.below(MAX_DELAY_MS);
    this.#story.push(`link ${fault} after ${afterMs} ms`);
    await delay(afterMs);
    if (fault === 'cut') link.cut();
    else if (fault === 'stall') link.stall();
    else link.halfClose(fault);
  }
}
