/** One line and a code for monitors, whatever the names in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderNagios, renderUnknown } from '../../../../src/cli/render/nagios.ts';
import type { JobState } from '../../../../src/jobs/job-states.ts';
import { findProblems } from '../../../../src/jobs/problems.ts';
import { fakeJob, NOW } from '../../jobs/fake-job.ts';

const FAILED: Partial<JobState> = { state: 'failed', result: 'failed', exit: 1 };

function render(jobs: readonly Partial<JobState>[], absent: readonly string[] = []) {
  const all = jobs.map(fakeJob);
  const problems = findProblems(all, { allowUnknown: false, allowLate: false, now: NOW });
  return renderNagios(all, problems, absent, NOW);
}

test('all is well', () => {
  assert.deepEqual(render([{}, {}]), {
    text: 'SSBLOG OK - 2 jobs well | ok=2;;;0 running=0;;;0 failed=0;;;0 late=0;;;0 missing=0;;;0 stuck=0;;;0 unknown=0;;;0 paused=0;;;0\n',
    code: 0,
  });
});

test('of one job it is told how long it took and how old its last good run is', () => {
  assert.match(render([{}]).text, /paused=0;;;0 duration=600s;;;0 age=10800s;;;0\n$/);
});

test('the worst decides', () => {
  const [late, unknown]: Partial<JobState>[] = [{ state: 'late' }, { state: 'unknown' }];
  const codes = [[late], [late, unknown], [unknown, FAILED, late]].map(
    (jobs) => render(jobs as Partial<JobState>[]).code,
  );
  assert.deepEqual(codes, [1, 3, 2]);
  assert.match(
    render([late as object, FAILED]).text,
    /^SSBLOG CRITICAL - nightly \(laptop\) failed.*; nightly \(laptop\) is late/,
  );
});

test('nobody can tell of a job that is not known, nor of none', () => {
  assert.equal(render([{}], ['photos']).code, 3);
  assert.match(render([{}], ['photos']).text, /^SSBLOG UNKNOWN - photos is not known here \|/);
  assert.deepEqual([render([]).code, render([FAILED], ['photos']).code], [3, 2]);
});

test('names make neither a second line nor numbers', () => {
  const { text } = render([{ ...FAILED, job: 'a|b\nc', machine: '\u001b[2J' }]);
  assert.equal(text.split('|').length, 2);
  assert.equal(text.split('\n').length, 2);
  assert.match(text, /a\/b\\nc \(\\x1b\[2J\)/);
  assert.equal(renderUnknown('a|b\nc'), 'SSBLOG UNKNOWN - a/b\\nc\n');
});

test('many problems are counted', () => {
  const { text } = render(Array.from({ length: 500 }, () => ({ ...FAILED, job: 'x'.repeat(200) })));
  assert.ok(text.length < 2000, String(text.length));
  assert.match(text, /; 490 more \|/);
});
