/** A machine says of its own jobs that they did not run, when nothing else shows that it is there; by a clock of the test's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { jobStates } from '../../../src/jobs/job-states.ts';
import { watchOverdue } from '../../../src/jobs/overdue.ts';
import type { Content } from '../../../src/message/content.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';
import { HOUR, MINUTE, START } from './fake-run.ts';

const LABELS = { source: 'laptop', destination: 'nas', job: 'nightly' };
const SCHEDULE = { every: '2h', grace: '30m' };
const PERIOD = 2 * HOUR;
const OVER = PERIOD + HOUR / 2;

interface Said {
  readonly type: string;
  readonly job: string;
  readonly due: number;
}

/** A machine with a daemon, and another one that gets its feed from somebody else. */
function laptop(t: TestContext) {
  const store = freshStore(t);
  const elsewhere = freshStore(t);
  const feed = new FakeFeed('laptop');
  const clock = { now: START };
  const said: Said[] = [];
  const notices: string[] = [];
  const disk = { isFull: false };
  const add = (content: object, made = clock.now) => {
    const message: SignedMessage = feed.message(content, made);
    store.ingest([message]);
    elsewhere.ingest([message]);
  };
  const publish = async (contents: readonly Content[]) => {
    if (disk.isFull) throw new Error('no space left');
    for (const content of contents) {
      said.push(content as unknown as Said);
      add(content);
    }
  };
  const start = () =>
    watchOverdue({
      ...{ storeFile: store.file, self: feed.id, publish },
      notice: (text) => notices.push(text),
      now: () => clock.now,
    });
  const daemon = { watch: start() };
  t.after(() => daemon.watch.close());
  return {
    ...{ feed, clock, said, notices, disk, add },
    /** Minute after minute. */
    async pass(ms: number) {
      for (const end = clock.now + ms; clock.now < end; ) {
        clock.now += MINUTE;
        await daemon.watch.look();
      }
    },
    async restart() {
      await daemon.watch.close();
      daemon.watch = start();
    },
    run({ job = 'nightly', ...changes }: { job?: string; [key: string]: unknown } = {}) {
      const started = clock.now;
      const run = { type: 'log-run', ...LABELS, job, run: `${job} ${started}`, started };
      add({ ...run, state: 'end', ended: started, exit: 0, signal: null, lines: 0, ...SCHEDULE, ...changes });
    },
    stateElsewhere: () => jobStates(elsewhere, { self: '@other', now: clock.now })[0]?.state,
  };
}

test('nothing is said as long as all is well', async (t) => {
  const { run, pass, said, notices } = laptop(t);
  for (let time = 0; time < 3; time += 1) {
    run();
    await pass(PERIOD);
  }
  assert.deepEqual([said, notices], [[], []]);
});

test('a job that did not run is told once, and others know from then on that it did not', async (t) => {
  const { run, pass, said, stateElsewhere, clock, restart } = laptop(t);
  run();
  await pass(OVER - MINUTE);
  assert.deepEqual([said, stateElsewhere()], [[], 'late']);
  await pass(MINUTE);
  assert.deepEqual(said, [
    { type: 'log-overdue', ...LABELS, run: `nightly ${START}`, due: START + PERIOD, at: START + OVER },
  ]);
  assert.equal(stateElsewhere(), 'missing');
  await pass(2 * PERIOD);
  await restart();
  await pass(HOUR);
  assert.equal(said.length, 1, 'once, also after a restart');
  run();
  assert.equal(stateElsewhere(), 'ok');
  const again = clock.now + PERIOD;
  await pass(OVER);
  assert.deepEqual(
    said.map(({ due }) => due),
    [START + PERIOD, again],
  );
});

test('other messages that were made since it was due show the same; earlier ones do not', async (t) => {
  const { run, pass, said, add, stateElsewhere } = laptop(t);
  run();
  await pass(PERIOD + MINUTE);
  add({ type: 'log', text: 'something else' });
  await pass(OVER);
  assert.deepEqual([said, stateElsewhere()], [[], 'missing']);
  run();
  await pass(PERIOD - MINUTE);
  add({ type: 'log', text: 'something else' });
  await pass(OVER);
  assert.equal(said.length, 1);
});

test('a machine that slept, or was off, says it a minute after it woke, unless the job has begun', async (t) => {
  for (const isOff of [false, true]) {
    const { run, pass, said, clock, restart } = laptop(t);
    run();
    const wake = async () => {
      clock.now += 3 * PERIOD;
      if (isOff) await restart();
      await pass(MINUTE);
    };
    await wake();
    assert.deepEqual(said.length, isOff ? 1 : 0);
    await pass(MINUTE);
    assert.equal(said.length, 1);
    run();
    clock.now += 3 * PERIOD;
    if (isOff) await restart();
    run({ state: 'start', ended: undefined, exit: undefined });
    await pass(HOUR / 2);
    assert.equal(said.length, 1);
  }
});

test('a run that does not end is told as well', async (t) => {
  const { run, pass, said, stateElsewhere } = laptop(t);
  run({ state: 'start', ended: undefined, exit: undefined });
  await pass(PERIOD - MINUTE);
  assert.deepEqual([said, stateElsewhere()], [[], 'running']);
  await pass(3 * PERIOD);
  assert.deepEqual([said.map(({ due }) => due), stateElsewhere()], [[START + PERIOD], 'stuck']);
});

test('what is paused or forgotten is not told, nor what another machine did not run', async (t) => {
  const { run, pass, said, add, feed, clock } = laptop(t);
  for (const [job, state] of Object.entries({ paused: 'paused', gone: 'forgotten' })) {
    run({ job });
    add({ type: 'log-job', feed: feed.id, ...LABELS, job, state, at: clock.now + 1 });
  }
  await pass(2 * PERIOD);
  assert.deepEqual(said, []);
});

test('several are told each, and each once', async (t) => {
  const { run, pass, said } = laptop(t);
  for (const job of ['a', 'b', 'c']) run({ job, every: job === 'c' ? '3h' : '2h' });
  await pass(4 * PERIOD);
  assert.deepEqual(
    said.map(({ job }) => job),
    ['a', 'b', 'c'],
  );
});

test('what could not be written is said once, and tried again', async (t) => {
  const { run, pass, said, notices, disk } = laptop(t);
  disk.isFull = true;
  run();
  await pass(OVER + HOUR);
  assert.deepEqual([said.length, notices.length], [0, 1], String(notices));
  disk.isFull = false;
  await pass(HOUR);
  assert.equal(said.length, 1);
});

test('a feed that was written with a clock far ahead shows no life, and is not filled', async (t) => {
  const { run, pass, said, add, clock } = laptop(t);
  run();
  add({ type: 'log', text: 'of next month' }, clock.now + 700 * HOUR);
  await pass(4 * PERIOD);
  assert.equal(said.length, 1);
});
