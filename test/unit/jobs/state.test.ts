/** Every state, by a clock that is a parameter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchedule } from '../../../src/jobs/schedule.ts';
import { type JobFacts, type JobStateName, resultOf, stateOf } from '../../../src/jobs/state.ts';
import type { RunRecord, ScheduleText } from '../../../src/store/store.ts';
import { DAY, fakeRun, HOUR, MINUTE, openRun, START } from './fake-run.ts';

interface Case {
  readonly runs: readonly RunRecord[];
  readonly schedule?: Partial<ScheduleText>;
  /** After START. */
  readonly now: number;
  /** When the machine was heard of, after START; without it, just now. */
  readonly heard?: number | null;
  readonly facts?: Partial<JobFacts>;
  readonly is: JobStateName;
}

const DAILY = { every: '24h', grace: '2h' };
const OK = fakeRun();
const BAD = fakeRun({ exit: 1 });
const OPEN = openRun();
/** Good runs of ten minutes before. */
const BEFORE = [1, 2, 3].map((days) => fakeRun({ started: START - days * DAY }));
const DUE = DAY;
const OVER = DAY + 2 * HOUR;

const CASES: Readonly<Record<string, Case>> = {
  'a run that has begun': { runs: [OPEN], now: MINUTE, is: 'running' },
  'one that ended': { runs: [OK], now: HOUR, is: 'ok' },
  'one whose exit code is not known': { runs: [fakeRun({ exit: null })], now: HOUR, is: 'ok' },
  'one that failed': { runs: [BAD], now: HOUR, is: 'failed' },
  'one whose exit code was given as good': { runs: [fakeRun({ exit: 1, ok: true })], now: HOUR, is: 'ok' },
  'one that a signal ended': { runs: [fakeRun({ exit: null, signal: 'SIGKILL' })], now: HOUR, is: 'failed' },
  'one that its time limit ended, with such a code': {
    runs: [fakeRun({ exit: 1, ok: true, reason: 'timeout' })],
    now: HOUR,
    is: 'failed',
  },
  'one that could not start': { runs: [fakeRun({ exit: null, reason: 'spawn ENOENT' })], now: HOUR, is: 'failed' },
  'a failure after a good one': { runs: [BAD, ...BEFORE], now: HOUR, is: 'failed' },
  'a good one after a failure': { runs: [OK, fakeRun({ started: START - HOUR, exit: 1 })], now: HOUR, is: 'ok' },
  'a good one, while an earlier one goes on': { runs: [OK, openRun(START - HOUR)], now: HOUR, is: 'ok' },
  'one that began during another': { runs: [openRun(START + MINUTE), OK], now: 2 * MINUTE, is: 'running' },
  'no schedule, years later': { runs: [OK], now: 999 * DAY, is: 'ok' },
  'no schedule and a machine that is away': { runs: [OK], now: 999 * DAY, heard: 0, is: 'ok' },

  'not due': { runs: [OK], schedule: DAILY, now: DUE - 1, is: 'ok' },
  due: { runs: [OK], schedule: DAILY, now: DUE, is: 'late' },
  'due, the machine away': { runs: [OK], schedule: DAILY, now: DUE, heard: HOUR, is: 'late' },
  'at the end of grace': { runs: [OK], schedule: DAILY, now: OVER - 1, is: 'late' },
  'grace over': { runs: [OK], schedule: DAILY, now: OVER, is: 'missing' },
  'grace over, heard when it was due': { runs: [OK], schedule: DAILY, now: OVER, heard: DUE, is: 'missing' },
  'grace over, not heard since before': { runs: [OK], schedule: DAILY, now: OVER, heard: DUE - 1, is: 'unknown' },
  'grace over, never heard of': { runs: [OK], schedule: DAILY, now: OVER, heard: null, is: 'unknown' },
  'a machine away for a week': { runs: [OK, ...BEFORE], schedule: DAILY, now: 7 * DAY, heard: HOUR, is: 'unknown' },
  'back after a week': { runs: [OK, ...BEFORE], schedule: DAILY, now: 7 * DAY, is: 'missing' },
  'back after a week, and it runs': {
    runs: [openRun(START + 7 * DAY), OK],
    schedule: DAILY,
    now: 7 * DAY,
    is: 'running',
  },
  'failed, and due again': { runs: [BAD], schedule: DAILY, now: DUE, is: 'failed' },
  'failed, and never again': { runs: [BAD], schedule: DAILY, now: OVER, is: 'missing' },
  'failed, then the machine went away': { runs: [BAD], schedule: DAILY, now: 7 * DAY, heard: HOUR, is: 'failed' },
  'a schedule that cannot be read': { runs: [OK], schedule: { every: 'often' }, now: 99 * DAY, is: 'ok' },
  'it ran long, over the next time': {
    runs: [fakeRun({ ended: START + 30 * HOUR })],
    schedule: DAILY,
    now: 31 * HOUR,
    is: 'late',
  },
  'an end that lies in the future puts nothing off': {
    runs: [fakeRun({ ended: START + 999 * DAY })],
    schedule: DAILY,
    now: OVER,
    is: 'missing',
  },
  'an end before the start': { runs: [fakeRun({ ended: 0 })], schedule: DAILY, now: DUE - 1, is: 'ok' },
  'a run of 1970': { runs: [fakeRun({ started: 0 })], schedule: DAILY, now: 0, is: 'missing' },
  'a run of 2999': { runs: [fakeRun({ started: START + 356_000 * DAY })], schedule: DAILY, now: 0, is: 'unknown' },
  'a failed run of 2999': {
    runs: [fakeRun({ started: START + 356_000 * DAY, exit: 1 })],
    schedule: DAILY,
    now: 0,
    is: 'failed',
  },

  'longer than usual': { runs: [OPEN, ...BEFORE], now: 69 * MINUTE, is: 'running' },
  'much longer than usual': { runs: [OPEN, ...BEFORE], now: 70 * MINUTE, is: 'stuck' },
  'much longer, and the machine away': { runs: [OPEN, ...BEFORE], now: 9 * DAY, heard: 69 * MINUTE, is: 'unknown' },
  'much longer, and the machine back': { runs: [OPEN, ...BEFORE], now: 9 * DAY, is: 'stuck' },
  'a job of hours': {
    runs: [OPEN, fakeRun({ started: START - DAY, ended: START - 18 * HOUR })],
    now: 18 * HOUR - 1,
    is: 'running',
  },
  'a job of hours, three times over': {
    runs: [OPEN, fakeRun({ started: START - DAY, ended: START - 18 * HOUR })],
    now: 18 * HOUR,
    is: 'stuck',
  },
  'failures say nothing of what is usual': {
    runs: [OPEN, fakeRun({ started: START - DAY, exit: 1 })],
    now: 23 * HOUR,
    is: 'running',
  },
  'a first run, for a day': { runs: [OPEN], now: DAY, is: 'stuck' },
  'a first run, for a period': { runs: [OPEN], schedule: { every: '7d' }, now: 6 * DAY, is: 'running' },
  'a first run, for longer': { runs: [OPEN], schedule: { every: '7d' }, now: 7 * DAY, is: 'stuck' },
  'a first run of every minute': { runs: [OPEN], schedule: { every: '1m' }, now: HOUR - 1, is: 'running' },
  'a run under way is not missing': { runs: [OPEN], schedule: { every: '1m' }, now: 30 * MINUTE, is: 'running' },
  'one that never ended, then a good one': { runs: [OK, openRun(START - 9 * DAY)], now: HOUR, is: 'ok' },

  paused: { runs: [BAD], schedule: DAILY, now: 99 * DAY, facts: { isPaused: true }, is: 'paused' },
  'active again: due from then on': {
    runs: [OK],
    schedule: DAILY,
    now: 31 * DAY - 1,
    facts: { activeSince: START + 30 * DAY },
    is: 'ok',
  },
  'active again, and never ran': {
    runs: [OK],
    schedule: DAILY,
    now: 32 * DAY,
    facts: { activeSince: START + 30 * DAY },
    is: 'missing',
  },
  'active again, but it failed before': { runs: [BAD], now: DAY, facts: { activeSince: START + HOUR }, is: 'failed' },

  'a clock an hour ahead: not due by ours': {
    runs: [fakeRun({ started: START + HOUR })],
    schedule: DAILY,
    now: DUE - 1,
    facts: { clockOffsetMs: HOUR },
    is: 'ok',
  },
  'a clock an hour ahead: due by ours': {
    runs: [fakeRun({ started: START + HOUR })],
    schedule: DAILY,
    now: DUE,
    facts: { clockOffsetMs: HOUR },
    is: 'late',
  },
  'a clock three days behind, with cron': {
    runs: [fakeRun({ started: START - 3 * DAY })],
    schedule: { cron: '0 3 * * *', grace: '1h' },
    now: DAY - 1,
    facts: { clockOffsetMs: -3 * DAY },
    is: 'ok',
  },
  'a clock three days behind, grace over': {
    runs: [fakeRun({ started: START - 3 * DAY })],
    schedule: { cron: '0 3 * * *', grace: '1h' },
    now: DAY + HOUR,
    facts: { clockOffsetMs: -3 * DAY },
    is: 'missing',
  },
};

for (const [title, { runs, schedule, now, heard = now, facts, is }] of Object.entries(CASES)) {
  test(`${title}: ${is}`, () => {
    const parsed = schedule && parseSchedule({ every: null, cron: null, tz: null, grace: null, ...schedule });
    const heardAt = heard === null ? undefined : START + heard;
    const all = { clockOffsetMs: 0, heardAt, isPaused: false, activeSince: undefined, ...facts };
    assert.equal(stateOf({ runs, schedule: parsed }, all, START + now).state, is);
  });
}

/** What a job goes through in Berlin around the change of clocks, hour by hour in UTC. */
function hours(cron: string, lastRun: string, from: string, count: number): JobStateName[] {
  const schedule = parseSchedule({ every: null, cron, tz: 'Europe/Berlin', grace: '1h' });
  const runs = [fakeRun({ started: Date.parse(lastRun) })];
  return Array.from({ length: count }, (_, hour) => {
    const now = Date.parse(from) + hour * HOUR;
    return stateOf({ runs, schedule }, { clockOffsetMs: 0, heardAt: now, isPaused: false, activeSince: undefined }, now)
      .state;
  });
}

test('in spring a job at 03:00 is late an hour of UTC earlier, at 02:30 when the clocks have changed', () => {
  const night = ['ok', 'late', 'missing'];
  assert.deepEqual(hours('0 3 * * *', '2026-03-28T02:00:01Z', '2026-03-29T00:00Z', 3), night);
  assert.deepEqual(hours('30 2 * * *', '2026-03-28T01:30:01Z', '2026-03-29T00:00Z', 3), night);
});

test('in autumn a job at 03:00 is late an hour of UTC later, at 02:30 the first time that it is so late', () => {
  assert.deepEqual(hours('0 3 * * *', '2026-10-24T01:00:01Z', '2026-10-25T00:00Z', 4), ['ok', 'ok', 'late', 'missing']);
  assert.deepEqual(hours('30 2 * * *', '2026-10-24T00:30:01Z', '2026-10-24T23:30Z', 3), ['ok', 'late', 'missing']);
  const ran = hours('30 2 * * *', '2026-10-25T00:30:01Z', '2026-10-25T01:30Z', 24);
  assert.deepEqual(new Set(ran), new Set(['ok']), 'the second 02:30 of that night is none of its times');
});

test('one that is due every day runs at its hour through both changes without being missing', () => {
  for (const [before, change] of [
    ['2026-03-28T02:00:00Z', '2026-03-29T01:00:00Z'],
    ['2026-10-24T01:00:00Z', '2026-10-25T02:00:00Z'],
  ] as const) {
    const schedule = parseSchedule({ every: '24h', cron: null, tz: null, grace: null });
    const now = Date.parse(change);
    const facts = { clockOffsetMs: 0, heardAt: now, isPaused: false, activeSince: undefined };
    const { state } = stateOf({ runs: [fakeRun({ started: Date.parse(before) })], schedule }, facts, now);
    assert.notEqual(state, 'missing', change);
  }
});

test('what is due is told by the clock of the machine that asks', () => {
  const runs = [fakeRun({ started: START + HOUR }), ...BEFORE];
  const schedule = parseSchedule({ every: '24h', cron: null, tz: null, grace: '2h' });
  const facts = { clockOffsetMs: HOUR, heardAt: START, isPaused: false, activeSince: undefined };
  assert.deepEqual(stateOf({ runs, schedule }, facts, START), {
    state: 'ok',
    nextDue: START + DAY,
    deadline: START + DAY + 2 * HOUR,
    stuckFrom: null,
    usualMs: 10 * MINUTE,
  });
});

test('results are good when nothing speaks against it', () => {
  assert.deepEqual([OK, fakeRun({ exit: null }), BAD, fakeRun({ exit: null, reason: 'timeout' }), OPEN].map(resultOf), [
    'ok',
    'ok',
    'failed',
    'failed',
    'running',
  ]);
});
