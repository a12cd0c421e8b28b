/** Quiet hours are what the clock on the wall says, also in the nights in which it is changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** The zone of a process cannot be changed safely: it is asked in one of its own. */
function quietAt(zone: string, quiet: string | undefined, times: readonly string[]): boolean[] {
  const module = new URL('../../../src/notify/quiet-hours.ts', import.meta.url).href;
  const code = `import { isQuiet } from ${JSON.stringify(module)};
    console.log(JSON.stringify(${JSON.stringify(times)}.map((time) => isQuiet(${JSON.stringify(quiet)}, Date.parse(time)))));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  return JSON.parse(execFileSync(process.execPath, args, { env: { ...process.env, TZ: zone }, encoding: 'utf8' }));
}

const CASES: readonly [
  what: string,
  zone: string,
  quiet: string | undefined,
  times: [time: string, isQuiet: boolean][],
][] = [
  ['none', 'UTC', undefined, [['2026-01-01T00:00Z', false]]],
  [
    'over midnight',
    'UTC',
    '22:00-07:00',
    [
      ['2026-01-01T21:59Z', false],
      ['2026-01-01T22:00Z', true],
      ['2026-01-02T00:00Z', true],
      ['2026-01-02T06:59:59.999Z', true],
      ['2026-01-02T07:00Z', false],
    ],
  ],
  [
    'at noon',
    'UTC',
    '12:00-14:00',
    [
      ['2026-01-01T11:59Z', false],
      ['2026-01-01T12:00Z', true],
      ['2026-01-01T14:00Z', false],
    ],
  ],
  ['two equal times are none', 'UTC', '07:00-07:00', [['2026-01-01T07:00Z', false]]],
  [
    'spring in Vienna: 02:00 is 03:00',
    'Europe/Vienna',
    '22:00-07:00',
    [
      ['2026-03-28T20:59Z', false],
      ['2026-03-28T21:00Z', true],
      ['2026-03-29T04:59Z', true],
      ['2026-03-29T05:00Z', false],
    ],
  ],
  [
    'autumn in Vienna: 03:00 is 02:00',
    'Europe/Vienna',
    '22:00-07:00',
    [
      ['2026-10-24T20:00Z', true],
      ['2026-10-25T05:59Z', true],
      ['2026-10-25T06:00Z', false],
    ],
  ],
  [
    'half an hour from the rest of the world',
    'Asia/Kolkata',
    '22:00-07:00',
    [
      ['2026-01-01T16:30Z', true],
      ['2026-01-01T16:29Z', false],
    ],
  ],
];

for (const [what, zone, quiet, times] of CASES)
  test(`quiet hours: ${what}`, () => {
    const at = times.map(([time]) => time);
    const wanted = times.map(([, isQuiet]) => isQuiet);
    assert.deepEqual(quietAt(zone, quiet, at), wanted);
  });
