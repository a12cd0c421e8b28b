/**
 * Promises under fire: processes are killed, links fail, disks fill, and what was acknowledged must be with every
 * follower, once and in order, and nothing else. `SSBLOG_FAULTS=long` for the long form; `--seed N` repeats a run.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { parseArgs } from 'node:util';
import { seededRandom } from '../helpers/random.ts';
import { Sandbox } from '../helpers/sandbox.ts';
import { KillRounds } from './kill-rounds.ts';
import { Points } from './points.ts';
import { scenarios } from './scenarios.ts';
import { type Figures, inWords, Trio } from './trio.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, rounds: { type: 'string' } }, strict: false });
const isLong = process.env.SSBLOG_FAULTS === 'long';
const seed = Number(values.seed ?? process.env.SSBLOG_FAULT_SEED ?? randomInt(2 ** 31));
const rounds = Number(values.rounds ?? (isLong ? 100 : 12));
/** Rounds that may be added until every named point was hit. */
const MAX_EXTRA_ROUNDS = 12;

const random = seededRandom(seed);
const box = new Sandbox();
const points = new Points(box.path('hits'), random);
const report: string[] = [];
const figures: Figures[] = [];
console.log(`faults: seed ${seed}`);

describe('processes that are killed', () => {
  let trio: Trio;
  let isWhole = false;
  let done = 0;

  before(async () => {
    trio = await Trio.make(points, random);
  });
  after(async () => {
    report.push(`rounds ${done}, points hit ${points.total}`, ...points.report(), inWords(trio.figures));
    figures.push(trio.figures);
    const kept = isWhole ? undefined : `${trio.box.dir}-kept`;
    if (kept !== undefined) report.push(`kept: ${kept}`);
    await trio.close(kept);
  });

  test(`${rounds} rounds keep every promise, and every named point is hit`, async () => {
    const kills = new KillRounds(trio, points, random);
    const missing = () => points.missing().length > 0;
    while (done < rounds || (missing() && done < rounds + MAX_EXTRA_ROUNDS)) {
      const startedMs = Date.now();
      await kills.run(done);
      done += 1;
      if (values.verbose) console.log(`round ${done}: ${kills.story} (${Date.now() - startedMs} ms)`);
    }
    await trio.checkLogs();
    trio.checkFeeds(true);
    assert.deepEqual(points.missing(), [], 'points that were never hit');
    isWhole = true;
  });
});

scenarios({ points, seed, report, figures }, isLong);

after(async () => {
  console.log([`faults: seed ${seed}`, ...report, `all: ${inWords(...figures)}`].join('\n'));
  await box.close();
});
