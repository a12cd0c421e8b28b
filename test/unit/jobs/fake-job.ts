/** States of jobs as `jobStates` gives them. */
import type { JobState } from '../../../src/jobs/job-states.ts';
import { DAY, HOUR, MINUTE, START } from './fake-run.ts';

/** A daily job that ran well ten minutes long, three hours ago when it is NOW. */
export function fakeJob(changes: Partial<JobState> = {}): JobState {
  return {
    ...{ feed: '@a', machine: 'laptop', source: 'laptop', destination: null, job: 'nightly', state: 'ok' },
    ...{ run: 'r', started: START, ended: START + 10 * MINUTE, exit: 0, signal: null, reason: null, result: 'ok' },
    ...{ durationMs: 10 * MINUTE, lines: 1, levels: null, usualMs: 10 * MINUTE, lastOk: START },
    ...{ nextDue: START + DAY, deadline: START + DAY + 2 * HOUR, heardAt: START + HOUR, clockOffsetMs: 0 },
    ...{ stuckFrom: null, every: '24h', cron: null, tz: null, grace: '2h', pausedBy: null, recent: [] },
    ...changes,
  };
}

export const NOW = START + 3 * HOUR;
