import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitStatus, startCommand } from '../../../src/run/command.ts';
import { Output } from '../../../src/run/output.ts';
import { watchCommand } from '../../../src/run/watch.ts';

function start(script: string, timeoutMs: number | undefined) {
  const command = startCommand(['sh', '-c', script], { ownSession: true });
  let text = '';
  const output = new Output(command.stdout, command.stderr, {
    now: Date.now,
    copy: async ({ bytes }) => {
      text += bytes;
    },
  });
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const ended = watchCommand(command, output, { timeoutMs, say, killAfterMs: 300, leftBehindMs: 300 });
  return { ended, said, text: () => text };
}

test('a command that ignores SIGTERM is killed, with all that it started', async () => {
  const { ended, said } = start("trap '' TERM; sleep 1000 & wait; sleep 1000", 300);
  const end = await ended;
  assert.deepEqual([end.signal, end.timedOut, exitStatus(end)], ['SIGKILL', true, 137]);
  assert.deepEqual(said, ['ssblog: error: its time is over: SIGTERM', 'ssblog: error: it did not end: SIGKILL']);
});

test('what a command says at SIGTERM is still read', async () => {
  const { ended, text } = start("trap 'echo last words; exit 9' TERM; while :; do sleep 0.01; done", 300);
  const end = await ended;
  assert.deepEqual([end.exit, end.timedOut], [9, true]);
  assert.match(text(), /last words\n$/);
});

test('output that a process left behind holds open is given up', async () => {
  const { ended, said, text } = start('sleep 3 & echo done', undefined);
  assert.equal((await ended).exit, 0);
  assert.equal(text(), 'done\n');
  assert.match(said.join(), /left behind/);
});

test('a command that cannot be started has ended, and has no output', async () => {
  for (const [words, status] of [
    [['/no/such/command'], 127],
    [[''], 127],
    [['/etc'], 126],
    [['echo', 'x'.repeat(3_000_000)], 126],
    [['a\0b'], 126],
  ] as const) {
    const command = startCommand(words, { ownSession: false });
    const output = new Output(command.stdout, command.stderr, { now: Date.now, copy: async () => undefined });
    const end = await watchCommand(command, output, { timeoutMs: undefined, say: () => undefined });
    assert.equal(exitStatus(end), status, words[0]);
  }
});
