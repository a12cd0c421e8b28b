/** What monitors are told: which jobs are wrong, how bad that is, and in which words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobState } from '../../../src/jobs/job-states.ts';
import { findProblems, type ProblemOptions, type Severity } from '../../../src/jobs/problems.ts';
import { fakeJob, NOW } from './fake-job.ts';
import { DAY, HOUR, MINUTE, START } from './fake-run.ts';

const LATER = START + DAY + 3 * HOUR;
const FAILED = { state: 'failed', result: 'failed', exit: 2 } as const;
const AWAY = { state: 'unknown', heardAt: START + HOUR } as const;
const PAUSED = { state: 'paused', pausedBy: { feed: '@b', machine: 'nas', at: START, until: null } } as const;

interface Case {
  readonly job: Partial<JobState>;
  readonly options?: Partial<ProblemOptions>;
  readonly is: readonly [severity: Severity, text: string] | undefined;
}

const CASES: Readonly<Record<string, Case>> = {
  'a good one': { job: {}, is: undefined },
  'one that runs': { job: { state: 'running', ended: null }, is: undefined },
  'a failed one': { job: FAILED, is: ['critical', 'failed with exit code 2, 3 hours ago'] },
  'a killed one': {
    job: { ...FAILED, exit: null, signal: 'SIGTERM', reason: 'timeout' },
    is: ['critical', 'was ended by SIGTERM (timeout), 3 hours ago'],
  },
  'one that could not start': {
    job: { ...FAILED, exit: null, reason: 'spawn ENOENT' },
    is: ['critical', 'failed (spawn ENOENT), 3 hours ago'],
  },
  'one whose clock is an hour ahead': {
    job: { ...FAILED, clockOffsetMs: HOUR },
    is: ['critical', 'failed with exit code 2, 4 hours ago'],
  },
  'a missing one': {
    job: { state: 'missing' },
    options: { now: LATER },
    is: ['critical', 'did not run: it was due 3 hours ago; its last run began 1 day ago'],
  },
  'a stuck one': {
    job: { state: 'stuck', ended: null },
    options: { now: LATER },
    is: ['critical', 'is stuck: it began 1 day ago and has not ended; usually it takes 10 minutes'],
  },
  'a late one': {
    job: { state: 'late' },
    options: { now: START + DAY + HOUR },
    is: ['warning', 'is late: it was due 1 hour ago, and its grace ends in 1 hour'],
  },
  'a late one that may be': { job: { state: 'late' }, options: { allowLate: true }, is: undefined },
  'one of a machine that is away': {
    job: AWAY,
    options: { now: LATER },
    is: ['unknown', 'may have run or not: laptop was last heard of 1 day ago, and it was due 3 hours ago'],
  },
  'one that ran when its machine went away': {
    job: { ...AWAY, result: 'running', ended: null },
    options: { now: LATER },
    is: ['unknown', 'may have run or not: laptop was last heard of 1 day ago, while it was running'],
  },
  'one of a machine that may be away': { job: AWAY, options: { allowUnknown: true }, is: undefined },
  'one of a wrong clock': {
    job: { state: 'unknown', nextDue: NOW + 999 * DAY },
    is: ['unknown', 'may have run or not: the clock of laptop was wrong when it last ran'],
  },
  'one whose schedule cannot be read': {
    job: { nextDue: null, deadline: null, every: 'often' },
    is: ['unknown', 'its schedule "often" cannot be read here'],
  },
  'one whose schedule cannot be read, which failed': {
    job: { ...FAILED, nextDue: null, deadline: null, cron: '61 * * * *' },
    is: ['critical', 'failed with exit code 2, 3 hours ago; its schedule "61 * * * *" cannot be read here'],
  },
  'a paused one': { job: PAUSED, options: { maxAgeMs: 1 }, is: undefined },
  'a good one that is young enough': { job: {}, options: { maxAgeMs: 3 * HOUR }, is: undefined },
  'a good one that is too old': {
    job: {},
    options: { maxAgeMs: 3 * HOUR - 1 },
    is: ['critical', 'its last good run began 3 hours ago'],
  },
  'one without a schedule that is too old': {
    job: { nextDue: null, deadline: null, every: null },
    options: { maxAgeMs: HOUR },
    is: ['critical', 'its last good run began 3 hours ago'],
  },
  'one that was never good': {
    job: { lastOk: null },
    options: { maxAgeMs: DAY },
    is: ['critical', 'has had no good run'],
  },
  'one of a machine that may be away, too old': {
    job: AWAY,
    options: { allowUnknown: true, maxAgeMs: HOUR },
    is: ['critical', 'its last good run began 3 hours ago'],
  },
  'a late one that is too old as well': {
    job: { state: 'late' },
    options: { now: START + DAY + HOUR, maxAgeMs: MINUTE },
    is: ['critical', 'is late: it was due 1 hour ago, and its grace ends in 1 hour; its last good run began 1 day ago'],
  },
};

for (const [title, { job, options, is }] of Object.entries(CASES)) {
  test(title, () => {
    const all = { allowUnknown: false, allowLate: false, now: NOW, ...options };
    const [problem] = findProblems([fakeJob(job)], all);
    assert.deepEqual(problem && [problem.severity, problem.text], is);
  });
}
