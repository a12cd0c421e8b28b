/** `assemble` again, by day, and on and on. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { noSmallDisk, onSmallDisk } from '../faults/small-disk.ts';
import { link, type Machine, network, startAll } from '../helpers/machine.ts';
import { assertRefused } from '../helpers/refusal.ts';
import { stockAnswer } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface FileAnswer {
  readonly file: string;
  readonly lines: number;
  readonly ms: number;
}

interface DaysAnswer {
  readonly dir: string;
  readonly days: number;
  readonly lines: number;
  readonly written: number;
  readonly ms: number;
}

const DAY_MS = 86_400_000;

/** Writes a line that is older or newer than now. */
async function pipeShifted(machine: Machine, ms: number, text: string): Promise<void> {
  machine.shiftClock(ms);
  await machine.pipe(`${text}\n`);
  machine.shiftClock(0);
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

test('exactly one of -o and --by-day is wanted', async (t) => {
  const [laptop] = await network(t, 'laptop');
  for (const args of [[], ['-f'], ['-o', 'a', '--by-day', 'b'], ['-o', ''], ['--by-day', '']]) {
    const says = /-o FILE.*--by-day DIR/;
    assertRefused(await laptop.run('assemble', ...args), { exitCode: 2, says });
    assertRefused(await laptop.run('assemble', ...args, '--json'), { exitCode: 2, says, json: true });
  }
  assert.ok(!existsSync(laptop.path('assembled')));
});

test('a file is appended to, written anew for a late line, and always what log prints', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const file = laptop.box.path('all.log');
  const assemble = async () => {
    const { lines } = await laptop.json<FileAnswer>('assemble', '-o', file);
    assert.deepEqual(readFileSync(file), (await laptop.must('log')).stdout);
    return { lines, inode: statSync(file).ino };
  };
  await laptop.pipe('one\n');
  const first = await assemble();
  await laptop.pipe('two\n');
  assert.deepEqual(await assemble(), { lines: 2, inode: first.inode });
  await pipeShifted(laptop, -DAY_MS, 'late');
  const third = await assemble();
  assert.equal(third.lines, 3);
  assert.notEqual(third.inode, first.inode);
  assert.deepEqual(await assemble(), third, 'and now there is nothing to do');
});

test('a name that is given to a machine shows in the lines that are there', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await stockAnswer(laptop, 'publish', '--type', 'log', '--text', 'from elsewhere');
  await link(nas, laptop);
  await nas.waitForLog(1);
  const file = nas.box.path('all.log');
  const assemble = async () => {
    await nas.must('assemble', '-o', file);
    return readFileSync(file, 'utf8');
  };
  assert.doesNotMatch(await assemble(), /his-laptop/);
  await nas.must('follow', laptop.id, '--name', 'his-laptop');
  assert.match(await assemble(), /^\S+ \S+ \[his-laptop\] from elsewhere\n$/);
});

test('a file a day, of which only those that changed are written', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const dir = laptop.box.path('days');
  const now = Date.now();
  await laptop.pipe('today\n');
  await pipeShifted(laptop, -2 * DAY_MS, 'the day before yesterday');
  const answer = await laptop.json<DaysAnswer>('assemble', '--by-day', dir, '--utc');
  assert.deepEqual({ ...answer, ms: 0 }, { dir, days: 2, lines: 2, written: 2, ms: 0 });
  const names = readdirSync(dir).sort();
  assert.equal(names[0], `${dayOf(now - 2 * DAY_MS)}.log`);
  assert.equal(statSync(dir).mode & 0o777, 0o700);

  await pipeShifted(laptop, -DAY_MS, 'yesterday');
  const second = await laptop.json<DaysAnswer>('assemble', '--by-day', dir, '--utc');
  assert.deepEqual([second.days, second.lines, second.written], [3, 3, 1]);
  const texts = readdirSync(dir)
    .sort()
    .map((name) => readFileSync(`${dir}/${name}`));
  assert.deepEqual(Buffer.concat(texts), (await laptop.must('log', '--utc')).stdout);

  await laptop.must('assemble', '--by-day', dir, '--utc', '--output', 'json');
  assert.equal(readdirSync(dir).filter((name) => name.endsWith('.jsonl')).length, 3);
  const foreign = `${dir}/${dayOf(now + 9 * DAY_MS)}.log`;
  writeFileSync(foreign, 'mine');
  await pipeShifted(laptop, 9 * DAY_MS, 'of the future');
  const refused = await laptop.run('assemble', '--by-day', dir, '--utc');
  assertRefused(refused, { exitCode: 2, says: new RegExp(foreign) });
  assert.equal(readFileSync(foreign, 'utf8'), 'mine');
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`-f goes on as lines arrive, and ends in order on ${signal}`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    await laptop.start();
    await laptop.pipe('there\n');
    const [file, dir] = [laptop.box.path('all.log'), laptop.box.path('days')];
    const follows = [
      laptop.spawn('assemble', '-f', '-o', file, '--json'),
      laptop.spawn('assemble', '-f', '--by-day', dir, '--json'),
    ];
    for (const follow of follows) await follow.waitForOutput('text', /"lines":1\b/);
    await laptop.pipe('comes\n');
    for (const follow of follows) await follow.waitForOutput('text', /"lines":2\b/);
    await pipeShifted(laptop, -DAY_MS, 'late');
    for (const follow of follows) await follow.waitForOutput('text', /"lines":3\b/);
    for (const follow of follows) {
      follow.kill(signal);
      const result = await follow.done();
      assert.deepEqual([result.code, result.stderr], [code, '']);
    }
    const { stdout } = await laptop.must('log');
    assert.deepEqual(readFileSync(file), stdout);
    assert.match(stdout.toString(), /late\n.*there\n.*comes\n$/);
    const names = readdirSync(dir).sort();
    assert.ok(names.length >= 2);
    assert.deepEqual(Buffer.concat(names.map((name) => readFileSync(`${dir}/${name}`))), stdout);
  });
}

test('two at once, and one that goes on, make no mixture', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const file = laptop.box.path('all.log');
  await laptop.pipe(lines(1, 20_000));
  const follow = laptop.spawn('assemble', '-f', '-o', file, '--json');
  const calls = [1, 2, 3].map(() => laptop.spawn('assemble', '-o', file));
  for (const call of calls) assert.equal((await call.done()).code, 0);
  await laptop.pipe(lines(20_001, 40_000));
  const again = [1, 2].map(() => laptop.spawn('assemble', '-o', file));
  for (const call of again) assert.equal((await call.done()).code, 0);
  follow.kill('SIGINT');
  assert.equal((await follow.done()).code, 130);
  assert.ok(readFileSync(file).equals((await laptop.must('log')).stdout));
});

test('kill -9 in the midst: the file is never half there, and the next call mends everything', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const [file, dir] = [laptop.box.path('out', 'all.log'), laptop.box.path('days')];
  await laptop.box.run('mkdir', [laptop.box.path('out')]);
  const targets = [
    ['-o', file],
    ['--by-day', dir],
  ];
  let count = 0;
  for (const round of [1, 2, 3]) {
    await laptop.pipe(lines(count + 1, count + 100_000));
    count += 100_000;
    await pipeShifted(laptop, -round * DAY_MS, `late ${round}`);
    for (const target of targets) {
      const call = laptop.spawn('assemble', ...target);
      const place = target[1] === file ? laptop.box.path('out') : dir;
      await waitFor('something to be written', () => call.hasEnded || hasTemporary(place), { everyMs: 1 });
      call.kill('SIGKILL');
      await call.exit;
    }
  }
  for (const target of targets) await laptop.must('assemble', ...target);
  const { stdout } = await laptop.must('log');
  assert.ok(readFileSync(file).equals(stdout));
  const names = readdirSync(dir).sort();
  assert.ok(Buffer.concat(names.map((name) => readFileSync(`${dir}/${name}`))).equals(stdout));
  assert.deepEqual(readdirSync(laptop.box.path('out')), ['all.log']);
  assert.deepEqual(
    names.filter((name) => !name.endsWith('.log')),
    [],
  );
});

test('on a full disk the file stays as it was, and is right when there is room', { skip: noSmallDisk }, async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.pipe(lines(1, 100));
  await onSmallDisk(1_048_576, async (disk) => {
    const [file, dir] = [`${disk.dir}/all.log`, `${disk.dir}/days`];
    const targets = [
      ['-o', file],
      ['--by-day', dir],
    ];
    for (const target of targets) await laptop.must('assemble', ...target);
    const before = readFileSync(file);
    const assertRight = async () => {
      const { stdout } = await laptop.must('log');
      assert.ok(readFileSync(file).equals(stdout));
      assert.ok(
        Buffer.concat(
          readdirSync(dir)
            .sort()
            .map((name) => readFileSync(`${dir}/${name}`)),
        ).equals(stdout),
      );
      assert.deepEqual(readdirSync(disk.dir).sort(), ['all.log', 'days']);
    };
    await laptop.pipe(lines(101, 2_000));
    disk.fill(16_384);
    for (const target of targets)
      assertRefused(await laptop.run('assemble', ...target), { exitCode: 1, says: /cannot be written: ENOSPC/ });
    assert.ok(readFileSync(file).equals(before));
    disk.free();
    for (const target of targets) await laptop.must('assemble', ...target);
    await assertRight();
  });
});

test('where nothing can be remembered, a file is written whole and the user is told', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const file = laptop.box.path('all.log');
  writeFileSync(laptop.path('assembled'), 'a file in the way');
  for (const text of ['one\n', 'two\n']) {
    await laptop.pipe(text);
    const { stderr } = await laptop.must('assemble', '-o', file);
    assert.match(stderr, /^ssblog: what was written cannot be remembered: .*\n$/);
    assert.deepEqual(readFileSync(file), (await laptop.must('log')).stdout);
  }
  const refused = await laptop.run('assemble', '--by-day', laptop.box.path('days'));
  assertRefused(refused, { exitCode: 1, says: /cannot be remembered/ });
});

function hasTemporary(place: string): boolean {
  return existsSync(place) && readdirSync(place).some((name) => name.endsWith('.tmp'));
}

function lines(from: number, to: number): string {
  let text = '';
  for (let line = from; line <= to; line += 1) text += `line ${line} with some more text\n`;
  return text;
}
