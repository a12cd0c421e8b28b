import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figure, Unit } from '../../../bench/measurement.ts';
import { summarise } from '../../../bench/report/summary.ts';

function figures(unit: Unit, ...of: (readonly [contender: string, value: number])[]): Figure[] {
  return of.map(([contender, value]) => ({ metric: 'one metric', contender, unit, value }));
}

test('all rounds of a contender become one row, with their median', () => {
  const [metric] = summarise(
    figures('lines/s', ['ssblog', 10], ['rsyslog', 1], ['rsyslog', 5], ['ssblog', 30], ['ssblog', 20]),
  );
  assert.deepEqual(metric?.rows, [
    { contender: 'ssblog', median: 20, rounds: [10, 30, 20] },
    { contender: 'rsyslog', median: 3, rounds: [1, 5], ratio: 20 / 3 },
  ]);
});

test('of a rate the higher one is better, of a time the lower one', () => {
  for (const [unit, expected] of [
    ['lines/s', 4],
    ['ms', 0.25],
    ['MB', 0.25],
    ['of raw', 0.25],
  ] as const) {
    const [metric] = summarise(figures(unit, ['ssblog', 8], ['rsyslog', 2]));
    assert.equal(metric?.rows[1]?.ratio, expected, unit);
  }
});

test('ours come first, in whatever order they were measured', () => {
  const [metric] = summarise(figures('lines/s', ['ssb-db2', 4], ['ssblog', 8], ['ssblog --no-blocks', 2]));
  assert.deepEqual(
    metric?.rows.map(({ contender, ratio }) => [contender, ratio]),
    [
      ['ssblog', undefined],
      ['ssblog --no-blocks', 4],
      ['ssb-db2', 2],
    ],
  );
});

test('nobody is compared with where ours is missing', () => {
  const [metric] = summarise(figures('lines/s', ['ssb-db2', 4], ['rsyslog', 8]));
  assert.deepEqual(
    metric?.rows.map(({ ratio }) => ratio),
    [undefined, undefined],
  );
});

test('metrics stay in their order', () => {
  const names = ['second', 'first', 'second', 'third'];
  const all = names.map((metric): Figure => ({ metric, contender: 'ssblog', unit: 'ms', value: 1 }));
  assert.deepEqual(
    summarise(all).map(({ name }) => name),
    ['second', 'first', 'third'],
  );
});
