/** From jobs and machines to what a notifier wants to hear of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_DEFAULTS, type Config } from '../../../src/config/keys.ts';
import { type NotifierConfig, parseNotifiers } from '../../../src/config/notifiers.ts';
import type { JobState } from '../../../src/jobs/job-states.ts';
import { type MachineState, outlookOf } from '../../../src/notify/condition.ts';
import { dueEntries, type Entries, markTold, type Rules, update } from '../../../src/notify/memory.ts';

const NOW = Date.UTC(2026, 10, 5, 12);
const DAY_MS = 86_400_000;

function notifier(settings: object = {}): NotifierConfig {
  const config: Config = { ...CONFIG_DEFAULTS, name: 'network', networkKey: '' };
  return parseNotifiers({ ...config, notify: [{ name: 'x', desktop: true, ...settings }] })[0] as NotifierConfig;
}

function job(state: JobState['state'], more: Partial<JobState> = {}): JobState {
  const run = { run: 'r1', started: NOW, ended: NOW, exit: 1, signal: null, reason: null, lines: 1, levels: null };
  const schedule = { every: null, cron: null, tz: null, grace: null, nextDue: null, deadline: null, stuckFrom: null };
  const facts = { usualMs: null, lastOk: null, heardAt: NOW, clockOffsetMs: 0, pausedBy: null, recent: [] };
  const labels = { feed: '@m', machine: 'nas', source: 'nas', destination: null, job: 'home' };
  return { ...labels, ...run, ...schedule, ...facts, state, result: 'failed', durationMs: 1, ...more };
}

function look(config: NotifierConfig, jobs: JobState[], machines: MachineState[] = [], now = NOW) {
  const { bad, good, open } = outlookOf(config, { jobs, machines, now });
  return { bad: bad.map(({ event }) => event), good: good.map(({ event }) => event), open: open.size };
}

const STATES: readonly [state: JobState['state'], settings: object, outlook: ReturnType<typeof look>][] = [
  ['failed', {}, { bad: ['failed'], good: [], open: 0 }],
  ['missing', {}, { bad: ['missing'], good: [], open: 0 }],
  ['stuck', {}, { bad: ['stuck'], good: [], open: 0 }],
  ['ok', {}, { bad: [], good: ['recovered'], open: 0 }],
  ['late', {}, { bad: [], good: ['recovered'], open: 0 }],
  ['running', {}, { bad: [], good: [], open: 1 }],
  ['unknown', {}, { bad: [], good: [], open: 1 }],
  ['paused', {}, { bad: [], good: [], open: 0 }],
  ['stuck', { on: ['failed'] }, { bad: [], good: [], open: 1 }],
  ['ok', { on: ['failed'] }, { bad: [], good: [], open: 0 }],
  ['failed', { jobs: ['other'] }, { bad: [], good: [], open: 0 }],
  ['failed', { jobs: ['home'], machines: ['nas'] }, { bad: ['failed'], good: [], open: 0 }],
  ['failed', { machines: ['@m'] }, { bad: ['failed'], good: [], open: 0 }],
];
for (const [state, settings, outlook] of STATES)
  test(`${state}, for ${JSON.stringify(settings)}`, () =>
    assert.deepEqual(look(notifier(settings), [job(state)]), outlook));

test('an episode is the same on machines that see it at other times, and another for another run', () => {
  const episode = (one: JobState) => outlookOf(notifier(), { jobs: [one], machines: [], now: NOW }).bad[0]?.episode;
  const missing = episode(job('missing', { nextDue: NOW, clockOffsetMs: 0 }));
  assert.equal(missing, episode(job('missing', { nextDue: NOW + 9, clockOffsetMs: 9, machine: 'another name' })));
  assert.match(missing ?? '', /^[\w-]{22}$/);
  const others = [
    job('failed'),
    job('missing', { run: 'r2' }),
    job('missing', { feed: '@n' }),
    job('missing', { job: 'b' }),
  ];
  assert.equal(new Set([missing, ...others.map(episode)]).size, 5);
});

test('a machine that is silent is told once, and so is its return', () => {
  const config = notifier({ silent: '3d' });
  const rules: Rules = {
    ...{ now: NOW, repeatMs: undefined, isQuiet: false, waitMs: 0, notBefore: 0 },
    toldByOthers: () => undefined,
  };
  let entries: Entries = new Map();
  const told: string[] = [];
  const at = (heardAt: number, sequence: number) => {
    const machines = [{ id: '@m', name: 'nas', sequence, heardAt }];
    entries = update(entries, outlookOf(config, { jobs: [], machines, now: NOW }), rules);
    const due = dueEntries(entries, rules);
    told.push(...due.map(({ event }) => event));
    entries = markTold(entries, due, NOW);
  };
  at(NOW - 3 * DAY_MS + 1, 7);
  at(NOW - 3 * DAY_MS, 7);
  at(NOW - 4 * DAY_MS, 7);
  at(NOW - 1, 8);
  at(NOW, 9);
  assert.deepEqual(told, ['silent', 'heard']);
  assert.equal(entries.size, 0);
  assert.deepEqual(look(notifier(), [], [{ id: '@m', name: 'nas', sequence: 1, heardAt: 0 }]).bad, [], 'nobody asked');
});
