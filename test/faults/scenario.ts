/** A trio for one scenario: whatever it came to is reported, and kept on the disk when it failed. */
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Random, seededRandom } from '../helpers/random.ts';
import type { Points } from './points.ts';
import { type Attempt, type Figures, inWords, Trio, type TrioOptions } from './trio.ts';

export interface ScenarioContext {
  readonly points: Points;
  readonly seed: number;
  readonly report: string[];
  readonly figures: Figures[];
}

/** Runs `work` on three machines that are connected, then settles them and looks at everything. */
export async function scenario(
  t: TestContext,
  context: ScenarioContext,
  work: (trio: Trio, random: Random) => Promise<void>,
  options: TrioOptions = {},
): Promise<void> {
  // Of its own, so that it is the same whatever runs before it or beside it.
  const random = seededRandom(context.seed ^ createHash('sha256').update(t.name).digest().readInt32LE());
  const trio = await Trio.make(context.points, random, options);
  let isWhole = false;
  try {
    await work(trio, random);
    await trio.settle([]);
    await trio.checkLogs();
    trio.checkFeeds(true);
    isWhole = true;
  } finally {
    const kept = isWhole ? undefined : `${trio.box.dir}-kept`;
    context.report.push(`${t.name}: ${inWords(trio.figures)}${kept === undefined ? '' : `; kept: ${kept}`}`);
    context.figures.push(trio.figures);
    await trio.close(kept);
  }
}

/** Gives every pipe its lines at once and waits for their ends. */
export async function finishAll(trio: Trio, attempts: readonly Attempt[]): Promise<void> {
  await Promise.all(attempts.map((attempt) => trio.feed(attempt)));
  await Promise.all(attempts.map((attempt) => trio.finish(attempt)));
}
