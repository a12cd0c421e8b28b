/** Machines whose clocks are wrong: their lines hide nobody's, and who reads is told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { link, type Machine, network, startAll } from '../helpers/machine.ts';
import { SSBLOG } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const noScript = spawnSync('script', ['--version']).status === 0 ? false : 'there is no script(1) to make a terminal';
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

async function offsetOn(reader: Machine, of: Machine): Promise<number | null> {
  const machines = await reader.json<{ id: string; clockOffsetMs: number | null }[]>('machines');
  return machines.find(({ id }) => id === of.id)?.clockOffsetMs ?? null;
}

test('lines that are dated in the future do not hide what is new', async (t) => {
  const [nas, ahead] = await network(t, 'nas', 'ahead');
  ahead.shiftClock(YEAR_MS);
  await startAll(nas, ahead);
  await link(nas, ahead);
  await nas.pipe('before\n');
  await ahead.pipe(Array.from({ length: 30 }, (_, index) => `tomorrow ${index}\n`).join(''));
  await nas.waitForLog(31);
  await nas.pipe('after 1\nafter 2\n');

  await t.test('in the last lines, of which it is said what is left out', async () => {
    const { text, stderr } = await nas.must('log', '-n', '3');
    assert.match(text, /before\n.*after 1\n.*after 2\n$/);
    assert.equal(text.match(/\n/g)?.length, 3);
    assert.match(stderr, /^ssblog: 30 lines are dated in the future and left out, of ahead \(30\); see: .*\n$/);
    assert.equal((await nas.must('log', '-n', '3', '--quiet')).stderr, '');
    assert.match((await nas.must('log', '-n', '3', '--job', 'none')).stderr, /^$/);
  });

  await t.test('while the log is followed, which shows lines as they come', async () => {
    const follow = nas.spawn('log', '-f', '-n', '2');
    await follow.waitForOutput('text', /after 1\n.*after 2\n/);
    await nas.pipe('live\n');
    await follow.waitForOutput('text', /live\n/);
    await ahead.pipe('live of tomorrow\n');
    await follow.waitForOutput('text', /live of tomorrow\n/);
    assert.doesNotMatch(follow.result.text, /tomorrow \d/);
    follow.kill('SIGINT');
    await follow.done();
  });

  await t.test('in the whole log they stand where their time is', async () => {
    const { text, stderr } = await nas.must('log');
    assert.match(text, /before\n.*after 1\n.*after 2\n.*live\n.*tomorrow 0\n/);
    assert.doesNotMatch(text, /\(future\)/);
    assert.equal(stderr, '');
    const file = nas.box.path('combined.log');
    await nas.must('assemble', '-o', file);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  await t.test('whoever asks for the future gets it', async () => {
    const { text, stderr } = await nas.must('log', '-n', '2', '--since', new Date(Date.now() + HOUR_MS).toISOString());
    assert.match(text, /tomorrow 29\n.*live of tomorrow\n$/);
    assert.equal(stderr, '');
  });

  await t.test('on a terminal they are marked, the others are not', { skip: noScript }, async () => {
    const command = `'${process.execPath}' '${SSBLOG}' log --path '${nas.dir}'`;
    const { text } = await nas.box.run('script', ['-qec', command, '/dev/null'], { env: { NO_COLOR: '1' } });
    const marked = text
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => /^\S+ \S+ \(future\) \[/.test(line));
    assert.deepEqual(marked, [...Array<boolean>(4).fill(false), ...Array<boolean>(31).fill(true)]);
  });

  await t.test('in JSON they are marked, the others are not', async () => {
    const futures = (await nas.entries()).map((entry) => (entry as { future?: unknown }).future);
    assert.deepEqual(futures, [...Array<undefined>(4).fill(undefined), ...Array<true>(31).fill(true)]);
  });
});

test('machines tells how far the clocks of others are off, where it can be known', async (t) => {
  const [nas, ahead, behind, right] = await network(t, 'nas', 'ahead', 'behind', 'right');
  ahead.shiftClock(2 * HOUR_MS);
  behind.shiftClock(-2 * HOUR_MS);
  await startAll(nas, ahead, behind, right);
  assert.equal(await offsetOn(nas, ahead), null);
  for (const machine of [ahead, behind, right]) await link(nas, machine);
  // Only messages that are made one by one, with time between them, tell a slow clock from a slow line.
  const pipes = [ahead, behind, right].map((machine) => machine.spawn('pipe'));
  const offsets = await waitFor(
    'all offsets',
    async () => {
      for (const pipe of pipes) await pipe.write('a line\n');
      const all = await Promise.all([ahead, behind, right].map((machine) => offsetOn(nas, machine)));
      return all.every((offset) => offset !== null) ? all.map(Number) : undefined;
    },
    { everyMs: 1100 },
  );
  for (const pipe of pipes) pipe.endInput();
  const expected = [2 * HOUR_MS, -2 * HOUR_MS, 0];
  offsets.forEach((offset, index) => {
    assert.ok(Math.abs(offset - Number(expected[index])) < 10_000, `${offsets}`);
  });
  assert.equal(await offsetOn(nas, nas), null);
  const { text } = await nas.must('machines');
  assert.match(text, /^ahead .* 2 hours ahead /m);
  assert.match(text, /^behind .* 2 hours behind\? /m);
  assert.match(text, /^right .* right /m);
});
