import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuSeconds, parseMemory } from '../../helpers/proc.ts';

const rest = 'S 1 42 42 0 -1 4194560 9 0 0 0 150 50 7 7 20 0 11 0 100 1 2';

test("a process's time is its own and the kernel's for it, in seconds", () => {
  assert.equal(parseCpuSeconds(`42 (node) ${rest}`), 2);
});

test("a program's name may hold spaces and parentheses", () => {
  assert.equal(parseCpuSeconds(`42 (a) 1 (b c) ${rest}`), 2);
});

test('what is no such line is refused', () => {
  assert.throws(() => parseCpuSeconds('42 (node) S 1'), /not a line/);
});

test('memory is what the process has and the most it ever had, in bytes', () => {
  const status = 'Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t   20 kB\nVmRSS:\t    8 kB\nThreads:\t11\n';
  assert.deepEqual(parseMemory(status), { residentBytes: 8_192, peakBytes: 20_480 });
});

test('a process that has ended has no memory', () => {
  assert.equal(parseMemory('Name:\tnode\nState:\tZ (zombie)\n'), undefined);
});
