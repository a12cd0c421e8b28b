import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile } from '../../../bench/report/statistics.ts';

test('the median is the middle one, of an even number the mean of two', () => {
  for (const [numbers, expected] of [
    [[7], 7],
    [[30, 4, 5], 5],
    [[4, 1, 2, 100], 3],
  ] as const) {
    assert.equal(median(numbers), expected);
  }
});

test('what nobody measured has no median', () => {
  assert.ok(Number.isNaN(median([])));
});

test('a quantile is one of the numbers: the smallest that this share of all does not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  for (const [share, expected] of [
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ] as const) {
    assert.equal(quantile(hundred, share), expected);
  }
  assert.equal(quantile([3, 1], 0.99), 3);
});
