import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuSeconds, parseEstablished, parseMemory } from '../../helpers/proc.ts';

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

test('connected sockets are told from those that listen or are closing', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2EE0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 71 1 0 100 0 0 10 0
   1: 0100007F:2EE0 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 72 1 0 20 4 30 10 -1
   2: 0100007F:9C42 0100007F:2EE0 06 00000000:00000000 03:00000AB2 00000000     0        0 0 3 0
`;
  assert.deepEqual(parseEstablished(table), ['72']);
});
