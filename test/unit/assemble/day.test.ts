import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Clock } from '../../../src/assemble/clock.ts';
import { dayAt, dayNamed } from '../../../src/assemble/day.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const HOUR_MS = 3_600_000;

test('a day in UTC does not depend on the time zone', () => {
  process.env.TZ = 'Asia/Tokyo';
  const day = dayAt(Date.UTC(2026, 10, 22, 23, 59, 59, 999), true);
  assert.deepEqual(day, { name: '2026-11-22', start: Date.UTC(2026, 10, 22), end: Date.UTC(2026, 10, 23) });
  assert.deepEqual(dayNamed('2026-11-22', true), day);
  assert.equal(dayAt(0, true).name, '1970-01-01');
  assert.equal(dayAt(253_402_300_799_999, true).name, '9999-12-31');
});

const LOCAL: readonly [zone: string, instant: string, name: string, hours: number][] = [
  ['Asia/Tokyo', '2026-11-22T15:00:00.000Z', '2026-11-23', 24],
  ['Asia/Tokyo', '2026-11-22T14:59:59.999Z', '2026-11-22', 24],
  ['America/New_York', '1970-01-01T00:00:00.000Z', '1969-12-31', 24],
  // Clocks go on, and back.
  ['Europe/Berlin', '2026-03-29T12:00:00.000Z', '2026-03-29', 23],
  ['Europe/Berlin', '2026-10-25T12:00:00.000Z', '2026-10-25', 25],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', '2026-04-05', 24.5],
  // Without a midnight, with two of them, and with two last hours.
  ['America/Sao_Paulo', '2018-11-04T03:00:00.000Z', '2018-11-04', 23],
  ['America/Havana', '2026-11-01T05:30:00.000Z', '2026-11-01', 25],
  ['America/Sao_Paulo', '2018-02-18T02:30:00.000Z', '2018-02-17', 25],
  // The clock went back over midnight, for 59 minutes of the day before.
  ['America/St_Johns', '2010-11-07T03:00:00.000Z', '2010-11-07', 25],
  // The day before was left out.
  ['Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-31', 24],
];

for (const [name, instant, day, hours] of LOCAL) {
  test(`${instant} is in ${day} in ${name}, which has ${hours} hours`, () => {
    process.env.TZ = name;
    const at = Date.parse(instant);
    const found = dayAt(at, false);
    assert.equal(found.name, day);
    assert.ok(found.start <= at && at < found.end);
    assert.equal((found.end - found.start) / HOUR_MS, hours);
    assert.deepEqual(dayNamed(day, false), found);
  });
}

for (const name of [
  'Europe/Berlin',
  'America/Sao_Paulo',
  'America/Havana',
  'America/St_Johns',
  'Pacific/Apia',
  'UTC',
]) {
  test(`days in ${name} follow each other without a gap, and their names tell the date that the log shows`, () => {
    process.env.TZ = name;
    const clock = new Clock({ utc: false });
    let day = dayAt(Date.UTC(2009, 0, 1), false);
    for (let count = 0; count < 4000; count += 1) {
      const next = dayAt(day.end, false);
      assert.equal(next.start, day.end);
      assert.ok(next.name > day.name);
      assert.equal(clock.text(next.start).slice(0, 10), next.name);
      assert.deepEqual(dayAt(next.end - 1, false), next);
      day = next;
    }
  });
}
