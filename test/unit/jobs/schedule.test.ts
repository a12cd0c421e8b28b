/** When jobs are due: across changes of clocks, leap years, ends of months; and what is no schedule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronProblem, defaultGrace, parseSchedule } from '../../../src/jobs/schedule.ts';
import type { ScheduleText } from '../../../src/store/store.ts';
import { DAY, HOUR, MINUTE, START } from './fake-run.ts';

const NONE: ScheduleText = { every: null, cron: null, tz: null, grace: null };

function due(text: Partial<ScheduleText>, started: string, ended = started): string | undefined {
  const schedule = parseSchedule({ ...NONE, ...text });
  const next = schedule?.next({ started: Date.parse(started), ended: Date.parse(ended) });
  return next && new Date(next.due).toISOString().replace(':00.000Z', 'Z');
}

const BERLIN = { tz: 'Europe/Berlin' };
const CASES: readonly [title: string, text: Partial<ScheduleText>, started: string, due: string, ended?: string][] = [
  ['every counts from the start', { every: '24h' }, '2026-11-22T03:00Z', '2026-11-23T03:00Z', '2026-11-22T05:00Z'],
  ['every may be several units', { every: '1h30m' }, '2026-11-22T03:00Z', '2026-11-22T04:30Z'],
  [
    'what ran beyond its next time was due at its end',
    { every: '1h' },
    '2026-11-22T03:00Z',
    '2026-11-22T07:00Z',
    '2026-11-22T07:00Z',
  ],
  ['cron', { cron: '0 3 * * *', ...BERLIN }, '2026-11-22T02:00:01Z', '2026-11-23T02:00Z'],
  ['without a zone, cron is meant in UTC', { cron: '0 3 * * *' }, '2026-11-22T03:00:01Z', '2026-11-23T03:00Z'],
  [
    'a run by hand before its time does not stand for it',
    { cron: '0 3 * * *' },
    '2026-11-22T02:50Z',
    '2026-11-22T03:00Z',
  ],
  ['a clock that was set back a little', { cron: '0 3 * * *' }, '2026-11-22T02:59:45Z', '2026-11-23T03:00Z'],
  ['every minute', { cron: '* * * * *' }, '2026-11-22T03:00:05Z', '2026-11-22T03:01Z'],
  [
    'times that passed while it ran',
    { cron: '*/5 * * * *' },
    '2026-11-22T03:00:01Z',
    '2026-11-22T03:15Z',
    '2026-11-22T03:12Z',
  ],
  ['a run that started hours late', { cron: '0 3 * * *' }, '2026-11-22T09:12Z', '2026-11-23T03:00Z'],
  ['the day before clocks go forward', { cron: '0 3 * * *', ...BERLIN }, '2026-03-28T02:00:01Z', '2026-03-29T01:00Z'],
  ['the day on which they went', { cron: '0 3 * * *', ...BERLIN }, '2026-03-29T01:00:01Z', '2026-03-30T01:00Z'],
  [
    'a time that spring leaves out comes when clocks have changed',
    { cron: '30 2 * * *', ...BERLIN },
    '2026-03-28T01:30:01Z',
    '2026-03-29T01:00Z',
  ],
  ['and after it the next day', { cron: '30 2 * * *', ...BERLIN }, '2026-03-29T01:00:01Z', '2026-03-30T00:30Z'],
  ['the day before clocks go back', { cron: '30 2 * * *', ...BERLIN }, '2026-10-24T00:30:01Z', '2026-10-25T00:30Z'],
  [
    'a time that autumn brings twice comes once',
    { cron: '30 2 * * *', ...BERLIN },
    '2026-10-25T00:30:01Z',
    '2026-10-26T01:30Z',
  ],
  ['so it does in a list', { cron: '30 2,14 * * *', ...BERLIN }, '2026-10-25T00:30:01Z', '2026-10-25T13:30Z'],
  ['every hour is every hour of it', { cron: '30 * * * *', ...BERLIN }, '2026-10-25T00:30:01Z', '2026-10-25T01:30Z'],
  ['every hour in spring', { cron: '30 * * * *', ...BERLIN }, '2026-03-29T00:30:01Z', '2026-03-29T01:30Z'],
  [
    'a zone of half an hour',
    { cron: '0 2 * * *', tz: 'Australia/Lord_Howe' },
    '2026-10-03T15:30:01Z',
    '2026-10-04T15:00Z',
  ],
  ['the southern spring', { cron: '30 2 * * *', tz: 'Australia/Sydney' }, '2026-10-02T16:30:01Z', '2026-10-03T16:00Z'],
  ['the last day of February', { cron: '0 3 * * *' }, '2026-02-28T03:00:01Z', '2026-03-01T03:00Z'],
  ['the same in a leap year', { cron: '0 3 * * *' }, '2028-02-28T03:00:01Z', '2028-02-29T03:00Z'],
  ['a day of leap years', { cron: '0 3 29 2 *' }, '2028-02-29T03:00:01Z', '2032-02-29T03:00Z'],
  ['the same over a year that is none', { cron: '0 3 29 2 *' }, '2096-02-29T03:00:01Z', '2104-02-29T03:00Z'],
  ['the 31st', { cron: '0 3 31 * *' }, '2026-03-31T03:00:01Z', '2026-05-31T03:00Z'],
  ['the end of a year', { cron: '@weekly' }, '2026-12-27T00:00:01Z', '2027-01-03T00:00Z'],
  [
    'a day of the month or of the week, as cron has it',
    { cron: '0 3 1 * 1' },
    '2026-11-24T03:00:01Z',
    '2026-11-30T03:00Z',
  ],
  ['cron, where both are given', { cron: '0 3 * * *', every: '1h' }, '2026-11-22T03:00:01Z', '2026-11-23T03:00Z'],
];
for (const [title, text, started, expected, ended] of CASES)
  test(title, () => assert.equal(due(text, started, ended), expected));

for (const text of [
  {},
  { every: '0s' },
  { every: 'daily' },
  { every: '9007199254740s' },
  { cron: '' },
  { cron: '61 * * * *' },
  { cron: '@reboot' },
])
  test(`${JSON.stringify(text)} is no schedule`, () => assert.equal(parseSchedule({ ...NONE, ...text }), undefined));

test('neither is one in no zone, one that never comes, one by the second', () => {
  assert.equal(cronProblem('0 3 * * *', 'Europe/Atlantis'), '"Europe/Atlantis" is no time zone');
  assert.equal(cronProblem('0 3 30 2 *', 'UTC'), 'it never comes');
  assert.match(cronProblem('0 0 3 * * *', 'UTC') ?? '', /exactly 5 parts/);
  assert.match(cronProblem('x'.repeat(100), 'UTC') ?? '', /./);
  assert.equal(cronProblem('0 3 * * 1-5', 'Europe/Berlin'), undefined);
});

test('grace is as given, else a tenth of the period within limits', () => {
  const deadline = (text: Partial<ScheduleText>) => {
    const next = parseSchedule({ ...NONE, ...text })?.next({ started: START, ended: START });
    return next && next.deadline - next.due;
  };
  assert.equal(deadline({ every: '24h', grace: '2h' }), 2 * HOUR);
  assert.equal(deadline({ every: '24h', grace: '0s' }), 0);
  assert.equal(deadline({ every: '24h' }), 2.4 * HOUR);
  assert.equal(deadline({ every: '24h', grace: 'nonsense' }), 2.4 * HOUR);
  assert.equal(deadline({ cron: '0 3 * * *' }), 2.4 * HOUR);
  assert.equal(deadline({ cron: '* * * * *' }), 5 * MINUTE);
  assert.deepEqual([defaultGrace(HOUR), defaultGrace(28 * DAY)], [6 * MINUTE, DAY]);
});

test('any number of hostile expressions takes bounded memory and time', () => {
  const begun = performance.now();
  for (let index = 0; index < 3000; index += 1)
    assert.equal(parseSchedule({ ...NONE, cron: `${index} * * * *`, tz: `Zone/${index}` }), undefined);
  assert.ok(performance.now() - begun < 5000);
});
