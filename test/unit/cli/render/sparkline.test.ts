import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline } from '../../../../src/cli/render/sparkline.ts';
import type { RunResult } from '../../../../src/jobs/state.ts';

const run = (result: RunResult, durationMs: number | null) => ({ result, durationMs });

test('bars are as high as runs took long; failures and runs without an end are marked', () => {
  const runs = [run('ok', 10), run('ok', 70), run('failed', 35), run('ok', 35), run('ok', null), run('running', null)];
  assert.equal(sparkline(runs), '▂█✗▅▁·');
});

test('runs that took no time are bars too, and no runs are none', () => {
  assert.equal(sparkline([run('ok', 0), run('ok', 0)]), '▁▁');
  assert.equal(sparkline([]), '');
});
