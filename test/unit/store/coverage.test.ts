import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Coverage, cover, NOTHING, type Range } from '../../../src/store/coverage.ts';

interface Case {
  readonly title: string;
  readonly before: Coverage;
  readonly range: Range;
  readonly fresh: Range[];
  readonly after: Coverage;
}

const GAPPED: Coverage = {
  progress: 20,
  gaps: [
    [3, 5],
    [8, 12],
  ],
};

const CASES: Case[] = [
  { title: 'the first records', before: NOTHING, range: [1, 4], fresh: [[1, 4]], after: { progress: 4, gaps: [] } },
  {
    title: 'records that follow',
    before: { progress: 4, gaps: [] },
    range: [5, 5],
    fresh: [[5, 5]],
    after: { progress: 5, gaps: [] },
  },
  {
    title: 'a repetition',
    before: { progress: 4, gaps: [] },
    range: [2, 4],
    fresh: [],
    after: { progress: 4, gaps: [] },
  },
  {
    title: 'a repetition with more behind it',
    before: { progress: 4, gaps: [] },
    range: [2, 6],
    fresh: [[5, 6]],
    after: { progress: 6, gaps: [] },
  },
  {
    title: 'a jump, which leaves a gap',
    before: { progress: 4, gaps: [] },
    range: [8, 9],
    fresh: [[8, 9]],
    after: { progress: 9, gaps: [[5, 7]] },
  },
  {
    title: 'what fills a gap',
    before: GAPPED,
    range: [3, 5],
    fresh: [[3, 5]],
    after: { progress: 20, gaps: [[8, 12]] },
  },
  {
    title: 'what splits a gap',
    before: GAPPED,
    range: [9, 10],
    fresh: [[9, 10]],
    after: {
      progress: 20,
      gaps: [
        [3, 5],
        [8, 8],
        [11, 12],
      ],
    },
  },
  {
    title: 'what goes over two gaps and the end',
    before: GAPPED,
    range: [4, 22],
    fresh: [
      [4, 5],
      [8, 12],
      [21, 22],
    ],
    after: { progress: 22, gaps: [[3, 3]] },
  },
];

for (const { title, before, range, fresh, after } of CASES) {
  test(`covering knows ${title}`, () => {
    assert.deepEqual(cover(before, range), { fresh, coverage: after });
  });
}

test('a run in disorder cannot make the store remember ever more gaps', () => {
  let coverage = NOTHING;
  for (let line = 2; line < 2000; line += 2) coverage = cover(coverage, [line, line]).coverage;
  assert.equal(coverage.gaps.length, 100);
  assert.deepEqual(coverage.gaps.at(-1), [1997, 1997]);
  assert.deepEqual(cover(coverage, [1, 1]).fresh, [], 'the lowest gaps are given up');
});
