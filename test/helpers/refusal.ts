/** The form in which ssblog refuses: one line and at most one hint on stderr, or one JSON document. */
import assert from 'node:assert/strict';
import type { Result } from './running.ts';

export interface Expected {
  readonly exitCode: 1 | 2;
  /** What must stand somewhere in the message or the hint. */
  readonly says: RegExp;
  /** The command was given `--json`. */
  readonly json?: boolean;
}

export function assertRefused(result: Result, expected: Expected): void {
  const all = `exit ${result.code}\nstdout: ${result.text}\nstderr: ${result.stderr}`;
  assert.equal(result.code, expected.exitCode, all);
  assert.equal(result.text, '', 'stdout carries data only');
  const lines = result.stderr.split('\n');
  assert.equal(lines.pop(), '', 'stderr ends with a line feed');
  if (expected.json) {
    assert.equal(lines.length, 1, all);
    const { error } = JSON.parse(lines[0] ?? '') as { error: { code: string; message: string; hint?: string } };
    assert.match(error.code, /^[a-z][a-z-]*$/);
    assert.match(`${error.message}\n${error.hint ?? ''}`, expected.says);
  } else {
    assert.ok(lines.length === 1 || lines.length === 2, `one line and a hint: ${all}`);
    assert.match(result.stderr, expected.says);
    assert.doesNotMatch(result.stderr, /^\s+at /m, 'no stack');
  }
}
