import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Clock } from '../../../src/assemble/clock.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test('times in UTC do not depend on the time zone', () => {
  process.env.TZ = 'Asia/Tokyo';
  const clock = new Clock({ utc: true });
  assert.equal(clock.text(Date.UTC(2026, 10, 22, 3, 0, 1, 999)), '2026-11-22 03:00:01');
  assert.equal(clock.text(0), '1970-01-01 00:00:00');
  assert.equal(clock.text(Date.UTC(9999, 11, 31, 23, 59, 59)), '9999-12-31 23:59:59');
});

const LOCAL: readonly [zone: string, instant: string, text: string][] = [
  ['Europe/Berlin', '2026-10-25T00:59:59Z', '2026-10-25 02:59:59'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-25 02:00:00'],
  ['Europe/Berlin', '2026-10-25T02:00:00Z', '2026-10-25 03:00:00'],
  ['Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-29 01:59:59'],
  ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29 03:00:00'],
  ['America/New_York', '2026-11-22T03:00:01Z', '2026-11-21 22:00:01'],
  ['Asia/Kathmandu', '2026-11-22T03:00:01Z', '2026-11-22 08:45:01'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-04-05 01:30:00'],
];

for (const [name, instant, text] of LOCAL) {
  test(`${instant} is ${text} in ${name}`, () => {
    process.env.TZ = name;
    assert.equal(new Clock({ utc: false }).text(Date.parse(instant)), text);
  });
}

test('a clock follows when the offset changes between two lines', () => {
  process.env.TZ = 'Europe/Berlin';
  const clock = new Clock({ utc: false });
  const change = Date.parse('2026-10-25T01:00:00Z');
  assert.equal(clock.text(change - 1), '2026-10-25 02:59:59');
  assert.equal(clock.text(change), '2026-10-25 02:00:00');
  assert.equal(clock.text(change - 1000), '2026-10-25 02:59:59');
});
