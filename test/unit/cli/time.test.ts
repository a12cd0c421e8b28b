import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFutureTime, parseTime } from '../../../src/cli/time.ts';

const NOW = new Date(2026, 10, 24, 12, 30).getTime();
const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime();

const cases: [text: string, ms: number][] = [
  ['2026-11-22', local(2026, 10, 22)],
  ['2026-11-22 03:00', local(2026, 10, 22, 3)],
  ['2026-11-22T03:00:01', local(2026, 10, 22, 3, 0, 1)],
  ['2026-11-22T03:00:01Z', Date.UTC(2026, 10, 22, 3, 0, 1)],
  ['2026-11-22T03:00:01+02:00', Date.UTC(2026, 10, 22, 1, 0, 1)],
  ['now', NOW],
  ['today', local(2026, 10, 24)],
  ['Yesterday', local(2026, 10, 23)],
  ['2h', NOW - 7_200_000],
  ['3d ago', NOW - 259_200_000],
];

for (const [text, ms] of cases) {
  test(`"${text}" is a point in time`, () => assert.equal(parseTime('--since', text, NOW), ms));
}

for (const text of ['', 'soon', '2026-13-01', '2026-02-30', '25:00', '-2h']) {
  test(`"${text}" is none, and the flag is named`, () => {
    assert.throws(() => parseTime('--until', text, NOW), { code: 'usage', message: /^--until: / });
  });
}

test('a time to come is a duration from now, or a point in time that has not passed', () => {
  assert.equal(parseFutureTime('--until', '2h', NOW), NOW + 7_200_000);
  assert.equal(parseFutureTime('--until', '2026-11-25', NOW), local(2026, 10, 25));
  for (const text of ['yesterday', 'now', '0s', '2026-11-24', 'soon', '9999999d'])
    assert.throws(() => parseFutureTime('--until', text, NOW), { code: 'usage' }, text);
});
