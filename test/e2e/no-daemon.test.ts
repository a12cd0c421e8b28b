/** What works with nothing started, and what survives when a daemon or a file goes away. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertSameBytes, textColumn } from '../helpers/log-text.ts';
import { befriend, link, Machine, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

function numbered(from: number, to: number, word = 'line'): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${word} ${from + index}\n`).join('');
}

/** The log holds these texts of one source, each once, in this order. */
async function assertOnceInOrder(machine: Machine, source: string, texts: string): Promise<void> {
  const { stdout } = await machine.waitForLog(texts.split('\n').length - 1, '--source', source);
  assertSameBytes(textColumn(stdout, { source }), Buffer.from(texts), `${source} on ${machine.name}`);
}

test('the first pipe on a new machine works with nothing started, and so does log', async (t) => {
  const [laptop] = await network(t, 'laptop');
  assert.equal((await laptop.must('log')).text, '');
  const answer = JSON.parse((await laptop.pipe('one\ntwo\n', '--json')).text) as { lines: number; spooled: number };
  assert.deepEqual([answer.lines, answer.spooled], [2, 0]);
  const { stdout } = await laptop.must('log');
  assertSameBytes(textColumn(stdout, { source: 'laptop' }), Buffer.from('one\ntwo\n'), 'log');
  await laptop.pipe('three\n');
  assert.equal((await laptop.status()).lines, 3);
  await laptop.start();
  assert.match((await laptop.must('log')).text, /one\n.*two\n.*three\n$/);
});

test('a machine that is followed with nothing started is followed when the daemon runs', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await nas.must('follow', laptop.id, '--name', 'my-laptop');
  const machines = await nas.json<{ id: string; followed: boolean }[]>('machines');
  assert.equal(machines.find(({ id }) => id === laptop.id)?.followed, true);
  await laptop.pipe('from before\n');
  await startAll(laptop, nas);
  await nas.must('connect', laptop.address);
  await assertOnceInOrder(nas, 'laptop', 'from before\n');
});

test('several pipes at once with nothing started ship all their lines, each run in order', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const sources = ['a', 'b', 'c', 'd'];
  await Promise.all(sources.map((source) => laptop.pipe(numbered(1, 500, source), '--source', source)));
  // What one of them could not publish, because another held the directory, is published at the next chance.
  await laptop.start();
  for (const source of sources) await assertOnceInOrder(laptop, source, numbered(1, 500, source));
  const { spool } = await laptop.status();
  assert.deepEqual(spool, { files: 0, lines: 0 });
});

test('several pipes at once through one daemon ship all their lines, each run in order', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  const sources = ['a', 'b', 'c', 'd'];
  await Promise.all(sources.map((source) => laptop.pipe(numbered(1, 500, source), '--source', source)));
  for (const source of sources) await assertOnceInOrder(nas, source, numbered(1, 500, source));
});

test('a trickling pipe survives kill -9 of the daemon: it ends with 0, and every line is there once', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(nas, laptop);
  const pipe = laptop.spawn('pipe');
  await pipe.write(numbered(1, 5));
  await laptop.waitForLog(5);
  await laptop.kill9();
  await pipe.write(numbered(6, 10));
  pipe.endInput();
  const { code, stderr } = await pipe.done();
  assert.equal(code, 0, stderr);
  await laptop.start();
  await assertOnceInOrder(laptop, 'laptop', numbered(1, 10));
  await assertOnceInOrder(nas, 'laptop', numbered(1, 10));
});

test('a fast pipe survives kill -9 of the daemon: it ends with 0, and every line is there once', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(nas, laptop);
  const pipe = laptop.spawn('pipe', '--json');
  await pipe.write(numbered(1, 20_000));
  await laptop.waitForLog(1);
  await laptop.kill9();
  await pipe.write(numbered(20_001, 40_000));
  pipe.endInput();
  const { code, stderr, text } = await pipe.done();
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(text) as { lines: number }).lines, 40_000);
  await laptop.start();
  await assertOnceInOrder(laptop, 'laptop', numbered(1, 40_000));
  await assertOnceInOrder(nas, 'laptop', numbered(1, 40_000));
});

test('a pipe whose daemon is restarted under it ends with 0, and every line is there once', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const pipe = laptop.spawn('pipe');
  await pipe.write(numbered(1, 3));
  await laptop.waitForLog(3);
  await laptop.kill9();
  await pipe.write(numbered(4, 6));
  await laptop.start();
  await pipe.write(numbered(7, 9));
  pipe.endInput();
  assert.equal((await pipe.done()).code, 0);
  // Lines that went into the spool are drained when a daemon starts at the latest.
  await laptop.stop();
  await laptop.start();
  await assertOnceInOrder(laptop, 'laptop', numbered(1, 9));
});

for (const { what, prepare } of [
  { what: 'with a daemon', prepare: (laptop: Machine) => laptop.start() },
  { what: 'that has the directory to itself', prepare: async () => undefined },
]) {
  test(`kill -9 of a pipe ${what} loses no line that is in the log already, and harms nothing`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    await prepare(laptop);
    const pipe = laptop.spawn('pipe');
    await pipe.write(numbered(1, 3));
    await laptop.waitForLog(3);
    pipe.kill('SIGKILL');
    await pipe.done();
    await laptop.pipe(numbered(4, 4));
    await assertOnceInOrder(laptop, 'laptop', numbered(1, 4));
  });
}

test('a daemon that starts while a long pipe has the directory forks nothing and loses nothing', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  const pipe = laptop.spawn('pipe');
  await pipe.write(numbered(1, 3));
  await laptop.waitForLog(3);

  // It may wait for the pipe, take over from it, or say that it cannot start: all are right.
  const start = laptop.spawn('start');
  await waitFor('start to decide', () => start.hasEnded || /\S/.test(start.result.stderr));
  await pipe.write(numbered(4, 6));
  pipe.endInput();
  assert.equal((await pipe.done()).code, 0);
  if (start.hasEnded) {
    assert.equal(start.result.code, 1, start.result.stderr);
    assert.match(start.result.stderr, /pipe|another|process/);
  } else {
    start.kill('SIGTERM');
    assert.ok([0, 143].includes((await start.done()).code ?? -1), start.result.stderr);
  }

  await startAll(laptop, nas);
  await link(nas, laptop);
  await assertOnceInOrder(laptop, 'laptop', numbered(1, 6));
  await assertOnceInOrder(nas, 'laptop', numbered(1, 6));
});

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  deleted: (file) => rmSync(file),
  'replaced by garbage': (file) => writeFileSync(file, Buffer.alloc(20_000, 'garbage ')),
  'cut to nothing': (file) => writeFileSync(file, ''),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  for (const reader of ['log', 'the daemon']) {
    test(`a store that was ${what} is built again by ${reader}, and log prints the same`, async (t) => {
      // Only where flume is the record the store can be made anew.
      const box = sandbox(t);
      const laptop = await Machine.make(box, 'laptop', randomNetworkKey(), 'ssb-server');
      const nas = await Machine.make(box, 'nas', laptop.networkKey);
      await startAll(laptop, nas);
      await befriend(laptop, nas);
      await laptop.pipe(numbered(1, 300), '--destination', 'nas', '--job', 'nightly');
      await nas.pipe('from nas\n', '--level', 'err');
      const { stdout } = await laptop.waitForLog(301);
      assert.equal(await laptop.stop(), 0);

      assert.ok(existsSync(laptop.path('store.db')));
      for (const file of readdirSync(laptop.dir)) if (/^store\.db-/.test(file)) rmSync(laptop.path(file));
      damage(laptop.path('store.db'));
      if (reader === 'the daemon') {
        await laptop.start();
        assertSameBytes((await laptop.waitForLog(301)).stdout, stdout, 'rebuilt');
      } else {
        assertSameBytes((await laptop.must('log', '--utc')).stdout, stdout, 'rebuilt');
      }
      await laptop.pipe('and on\n');
      await laptop.waitForLog(302);
    });
  }
}

test('the log is the same while the daemon runs and while it does not', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await laptop.pipe(numbered(1, 100));
  const { stdout } = await laptop.waitForLog(100);
  await laptop.stop();
  assertSameBytes((await laptop.must('log', '--utc')).stdout, stdout, 'without a daemon');
});

test('nothing is stored twice when the daemon is killed again and again while lines come', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const rounds = 4;
  for (let round = 0; round < rounds; round++) {
    await laptop.start();
    const pipe = laptop.spawn('pipe');
    await pipe.write(numbered(round * 500 + 1, round * 500 + 500));
    await laptop.waitForLog(round * 500 + 1);
    await laptop.kill9();
    pipe.endInput();
    assert.equal((await pipe.done()).code, 0);
  }
  await laptop.start();
  await assertOnceInOrder(laptop, 'laptop', numbered(1, rounds * 500));
});

test('a long pipe outlives a daemon that comes and goes, and the daemon that comes after', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const pipe = laptop.spawn('pipe');
  let sent = 0;
  const send = async () => {
    sent += 1;
    await pipe.write(`line ${sent}\n`);
    await laptop.waitForLog(sent);
  };
  await send(); // through a peer of its own
  await laptop.start();
  await send();
  assert.equal(await laptop.stop(), 0);
  await send(); // through a second peer in the same process
  assert.equal((await laptop.run('stop')).code, 0, 'which is no daemon, and is not stopped');
  await send();
  await laptop.start();
  await send();
  pipe.endInput();
  assert.equal((await pipe.done()).code, 0);
  await assertOnceInOrder(laptop, 'laptop', 'line 1\nline 2\nline 3\nline 4\nline 5\n');
});
