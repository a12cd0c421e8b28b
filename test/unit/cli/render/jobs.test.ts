/** What a job's table and history say of runs that have not ended, and of exit codes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chalk } from 'chalk';
import { renderJob, renderJobs } from '../../../../src/cli/render/jobs.ts';
import type { JobState } from '../../../../src/jobs/job-states.ts';
import { fakeJob, NOW } from '../../jobs/fake-job.ts';
import { DAY, fakeRun, openRun, START } from '../../jobs/fake-run.ts';

const plain = new Chalk({ level: 0 });

function recent(...results: JobState['recent'][number]['result'][]): JobState['recent'] {
  return results.map((result, index) => ({ run: `r${index}`, started: START, result, durationMs: 1000 }));
}

test('runs before the last one that have not ended are counted', () => {
  const table = (...results: Parameters<typeof recent>) =>
    renderJobs([fakeJob({ recent: recent(...results) })], plain, NOW).split('\n')[1];
  assert.match(table('ok', 'ok', 'ok') ?? '', / ███$/);
  assert.match(table('ok', 'running', 'ok') ?? '', / █·█ 1 not ended$/);
  assert.match(table('running', 'running', 'failed') ?? '', / ··✗ 2 not ended$/);
  assert.match(table('ok', 'running') ?? '', / █·$/, 'the last one goes on: that is what its state says');
  const state = (...results: Parameters<typeof recent>) =>
    /^state +(.*)$/m.exec(renderJob(fakeJob({ recent: recent(...results) }), [], plain, NOW))?.[1];
  assert.equal(state('ok', 'ok'), 'ok: it ended well 3 hours ago');
  assert.equal(state('running', 'ok'), 'ok: it ended well 3 hours ago; 1 earlier run has not ended');
  assert.equal(state('running', 'running', 'ok'), 'ok: it ended well 3 hours ago; 2 earlier runs have not ended');
});

test('the history says of each run how it ended', () => {
  const runs = [
    fakeRun({ exit: 1, ok: true }),
    openRun(START - DAY),
    fakeRun({ started: START - 2 * DAY, exit: 1 }),
    fakeRun({ started: START - 3 * DAY, exit: null }),
    fakeRun({ started: START - 4 * DAY }),
  ];
  const lines = renderJob(fakeJob(), runs, plain, NOW)
    .split('\n')
    .slice(-runs.length - 1, -1);
  assert.deepEqual(
    lines.map((line) => /^\S+ \S+ +(.*?) {2,}/.exec(line)?.[1]),
    ['ok, exit code 1', 'has not ended', 'failed with exit code 1', 'ok, exit code not known', 'ok'],
  );
});
