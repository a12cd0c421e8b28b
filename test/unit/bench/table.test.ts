import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from '../../../bench/report/summary.ts';
import { table, withUnit } from '../../../bench/report/table.ts';

test('a metric with several contenders has a title, one with a single contender is one line', () => {
  const metrics = summarise([
    { metric: 'a race', contender: 'ssblog', unit: 'lines/s', value: 400_000 },
    { metric: 'a race', contender: 'other', unit: 'lines/s', value: 100_000 },
    { metric: 'whoami', contender: 'ssblog', unit: 'ms', value: 83.456 },
  ]);
  assert.equal(
    table(metrics),
    [
      '                    median     ssblog better',
      'a race',
      '  ssblog   400,000 lines/s',
      '  other    100,000 lines/s           4 times',
      'whoami             83.5 ms',
      '',
    ].join('\n'),
  );
});

test('several rounds show how far they are apart', () => {
  const metrics = summarise(
    [30, 10, 20].map((value) => ({ metric: 'whoami', contender: 'ssblog', unit: 'ms' as const, value })),
  );
  assert.match(table(metrics), /^whoami +20 ms +10 ms +30 ms$/m);
});

test('numbers have three digits, or all before the point', () => {
  for (const [value, expected] of [
    [0.19876, '0.199 ms'],
    [4.5, '4.5 ms'],
    [99.96, '100 ms'],
    [1_234_567.8, '1,234,568 ms'],
  ] as const) {
    assert.equal(withUnit(value, 'ms'), expected);
  }
});
