import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderShortDuration } from '../../../../src/cli/render/units.ts';

const CASES: readonly [ms: number, text: string][] = [
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1000, '1s'],
  [59_499, '59s'],
  [60_000, '1m'],
  [754_000, '12m 34s'],
  [3_600_000, '1h'],
  [3_605_000, '1h'],
  [7_500_000, '2h 5m'],
  [90_000_000, '1d 1h'],
  [86_400_000 * 400 + 60_000, '400d'],
];
for (const [ms, text] of CASES) test(`${ms} ms are ${text}`, () => assert.equal(renderShortDuration(ms), text));
