/** Machines that tell people, and one that gives them something to tell. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { addAll, HandmadeFeed, type SignedByHand } from './hostile.ts';
import type { Machine } from './machine.ts';

export interface ListedNotifier {
  readonly name: string;
  readonly waiting: number;
  readonly told: number;
  readonly failures: number;
  readonly lastError: string | null;
  readonly patternProblem: string | null;
  readonly others: readonly { readonly id: string }[];
}

/** Counts when its daemon starts. */
export function configure(machine: Machine, ...notify: object[]): void {
  const file = machine.path('config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...config, notify }));
}

export async function listNotifier(machine: Machine, name: string): Promise<ListedNotifier> {
  const all = await machine.json<ListedNotifier[]>('notify', 'list');
  const found = all.find((one) => one.name === name);
  assert.ok(found, `${name} is listed`);
  return found;
}

/** A machine that runs jobs; all others hear of them at once. */
export class Worker {
  readonly feed = new HandmadeFeed();
  readonly #messages: SignedByHand[] = [];
  /** By machine, how many it has. */
  readonly #given: Map<Machine, number>;

  constructor(...watchers: Machine[]) {
    this.#given = new Map(watchers.map((machine) => [machine, 0]));
  }

  async run(job: string, run: string, exit: number, text = `said by ${run}`): Promise<void> {
    const at = Date.now();
    const labels = { source: 'worker', job, run };
    await this.say(
      { type: 'log', ...labels, line: 1, at, text },
      { type: 'log-run', ...labels, state: 'end', started: at - 1000, ended: at, exit, lines: 1 },
    );
  }

  async say(...contents: object[]): Promise<void> {
    this.#messages.push(...contents.map((content) => this.feed.sign(content)));
    for (const [machine, given] of this.#given) {
      if (!isRunning(machine)) continue;
      await addAll(machine, this.#messages.slice(given));
      this.#given.set(machine, this.#messages.length);
    }
  }
}

function isRunning(machine: Machine): boolean {
  return machine.said !== '(it is not running)';
}
