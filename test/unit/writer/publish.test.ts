import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SsblogError } from '../../../src/errors.ts';
import type { Content, LogContent } from '../../../src/message/content.ts';
import { Writer } from '../../../src/writer/publish.ts';

const log = (run: string, line: number): LogContent => ({ type: 'log', text: `${run} ${line}`, run, line });
const block = (run: string, line: number, lines: number): Content => ({
  type: 'log-block',
  run,
  line,
  lines,
  at: [1, 1],
  encoding: 'deflate-raw',
  data: '',
});

function recorder(stored: Record<string, number> = {}) {
  const groups: Content[][] = [];
  const fail: { error?: Error } = {};
  const writer = new Writer({
    ready: () => undefined,
    publish: async (contents) => {
      if (fail.error) throw fail.error;
      groups.push([...contents]);
      return { durable: Promise.resolve() };
    },
    storedProgress: (run) => stored[run] ?? 0,
  });
  return { writer, groups, fail, published: () => groups.flat() };
}

test('contents are published in the order in which they were given', async () => {
  const { writer, published } = recorder();
  const given = [1, 2, 3, 4, 5].map((line) => log('r', line));
  await Promise.all(given.map((content) => writer.write([content])));
  assert.deepEqual(published(), given);
});

test('what comes while a commit is under way shares the next one', async () => {
  const { writer, groups } = recorder();
  const first = writer.write([log('r', 1)]);
  await Promise.resolve();
  await Promise.all([first, ...[2, 3, 4].map((line) => writer.write([log('r', line)]))]);
  assert.deepEqual(
    groups.map((group) => group.length),
    [1, 3],
  );
});

test('a group has a limit', async () => {
  const { writer, groups } = recorder();
  const requests = Array.from({ length: 10 }, (_, n) =>
    writer.write(Array.from({ length: 50 }, (_, m) => log('r', n * 50 + m + 1))),
  );
  await Promise.all(requests);
  assert.ok(groups.every((group) => group.length <= 256));
  assert.equal(groups.flat().length, 500);
});

test('records that were sent again are published once', async () => {
  const { writer, published } = recorder();
  await writer.write([log('r', 1), block('r', 2, 10)]);
  await writer.write([log('r', 1), block('r', 2, 10), log('r', 12)]);
  assert.deepEqual(published(), [log('r', 1), block('r', 2, 10), log('r', 12)]);
});

test('records that were published before a restart are not published again', async () => {
  const { writer, published } = recorder({ old: 7 });
  await writer.write([log('old', 7), log('old', 8), log('new', 1)]);
  assert.deepEqual(published(), [log('old', 8), log('new', 1)]);
});

test('a failed commit rejects who waits for it and may be tried again', async () => {
  const { writer, published, fail } = recorder();
  fail.error = new Error('disk full');
  await assert.rejects(writer.write([log('r', 1)]), /disk full/);
  delete fail.error;
  await writer.write([log('r', 1)]);
  assert.deepEqual(published(), [log('r', 1)]);
});

test('contents without a run are always published', async () => {
  const { writer, published } = recorder();
  const follow: Content = { type: 'contact', contact: `@${'A'.repeat(43)}=.ed25519`, following: true };
  await writer.write([follow]);
  await writer.write([follow]);
  assert.equal(published().length, 2);
});

test('the progress of many runs does not stay in memory, and is asked from the store', async () => {
  const stored: Record<string, number> = {};
  const { writer, published } = recorder(stored);
  for (let run = 0; run < 1100; run += 1) {
    await writer.write([log(`r${run}`, 1)]);
    stored[`r${run}`] = 1;
  }
  await writer.write([log('r0', 1), log('r0', 2)]);
  assert.deepEqual(published().slice(1100), [log('r0', 2)]);
});

test('what follows a refused call of the same run is refused too, until the run begins again where it was refused', async () => {
  const { writer, published, fail } = recorder();
  const refused = new SsblogError('store', 'disk full');
  fail.error = refused;
  const first = writer.write([log('r', 1)]);
  await assert.rejects(first, /disk full/);
  delete fail.error;
  // It was on its way already when the first was refused. Published, it would make the first a repetition.
  await assert.rejects(writer.write([log('r', 2)]), /disk full/);
  await writer.write([log('other', 1)]);
  await writer.write([log('r', 1), log('r', 2)]);
  await writer.write([log('r', 3)]);
  assert.deepEqual(published(), [log('other', 1), log('r', 1), log('r', 2), log('r', 3)]);
});

test('a run goes on only when all that was refused of it has come again', async () => {
  const { writer, published, fail } = recorder();
  fail.error = new SsblogError('store', 'disk full');
  for (const line of [1, 2, 3]) await assert.rejects(writer.write([log('r', line)]), /disk full/);
  delete fail.error;
  await writer.write([log('r', 1)]);
  // Published, it would make the second and the third repetitions.
  await assert.rejects(writer.write([log('r', 4)]), /disk full/);
  await assert.rejects(writer.write([log('r', 3)]), /disk full/);
  await writer.write([log('r', 2), log('r', 3)]);
  await writer.write([log('r', 4), log('r', 5)]);
  assert.deepEqual(
    published(),
    [1, 2, 3, 4, 5].map((line) => log('r', line)),
  );
});

test('a spool file that begins later than its run was refused is taken: what is missing in it is damaged', async () => {
  const { writer, published, fail } = recorder();
  fail.error = new SsblogError('store', 'disk full');
  await assert.rejects(writer.write([log('r', 1)]), /disk full/);
  delete fail.error;
  await writer.writeSpooled([log('r', 2)]);
  await writer.write([log('r', 3)]);
  assert.deepEqual(published(), [log('r', 2), log('r', 3)]);
});

test('a call that cannot be published fails alone, not those that share its commit', async () => {
  const published: Content[] = [];
  const writer = new Writer({
    ready: () => undefined,
    publish: async (contents) => {
      if (contents.some((content) => content.type === 'log' && content.text === 'bad 1'))
        throw new Error('not a message');
      published.push(...contents);
      return { durable: Promise.resolve() };
    },
    storedProgress: () => 0,
  });
  const outcomes = await Promise.allSettled(['begins', 'a', 'bad', 'b'].map((run) => writer.write([log(run, 1)])));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(published, [log('begins', 1), log('a', 1), log('b', 1)]);
});

/** Its groups become durable, or not, when the test says so. */
function slowly() {
  const groups: { contents: Content[]; settle: (error?: Error) => void }[] = [];
  const gate: { ready: Promise<void> | undefined } = { ready: undefined };
  const writer = new Writer({
    ready: () => gate.ready,
    publish: async (contents) => {
      const durable = new Promise<void>((resolve, reject) => {
        groups.push({ contents: [...contents], settle: (error) => (error ? reject(error) : resolve()) });
      });
      return { durable };
    },
    storedProgress: () => 0,
  });
  return { writer, groups, gate };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function watched(promise: Promise<void>): { end: string } {
  const state = { end: 'waits' };
  promise.then(
    () => {
      state.end = 'durable';
    },
    (error: Error) => {
      state.end = error.message;
    },
  );
  return state;
}

test('while one group is made durable the next has its place already, and no more', async () => {
  const { writer, groups } = slowly();
  const ends: { end: string }[] = [];
  for (const line of [1, 2, 3, 4]) {
    ends.push(watched(writer.write([log('r', line)])));
    await nextTurn();
  }
  const contents = () => groups.map((group) => group.contents);
  assert.deepEqual(contents(), [[log('r', 1)], [log('r', 2)]]);
  groups[0]?.settle();
  await nextTurn();
  assert.deepEqual(contents(), [[log('r', 1)], [log('r', 2)], [log('r', 3), log('r', 4)]]);
  assert.deepEqual(
    ends,
    ['durable', 'waits', 'waits', 'waits'].map((end) => ({ end })),
  );
  groups[1]?.settle();
  groups[2]?.settle();
  await writer.idle();
  assert.deepEqual(ends, Array(4).fill({ end: 'durable' }));
});

test('no more have their places when calls of a group are tried one by one', async () => {
  let [placed, most] = [0, 0];
  const settle: (() => void)[] = [];
  const writer = new Writer({
    ready: () => undefined,
    publish: async (contents) => {
      if (contents.some((content) => content.type === 'log' && content.text === 'bad 1')) throw new Error('no message');
      placed += 1;
      most = Math.max(most, placed);
      const durable = new Promise<void>((resolve) => {
        settle.push(() => {
          placed -= 1;
          resolve();
        });
      });
      return { durable };
    },
    storedProgress: () => 0,
  });
  const ends = ['a', 'b', 'bad', 'c', 'd', 'e'].map((run) => watched(writer.write([log(run, 1)])));
  for (let turn = 0; turn < 5; turn += 1) {
    await nextTurn();
    ends.push(watched(writer.write([log(`late${turn}`, 1)])));
    settle.shift()?.();
  }
  for (; placed > 0; await nextTurn()) settle.shift()?.();
  await writer.idle();
  assert.equal(most, 2);
  assert.deepEqual(
    ends.map(({ end }) => end),
    ['durable', 'durable', 'no message', ...Array(8).fill('durable')],
  );
});

test('what waits for the feed to be ready is not placed when what it follows fails meanwhile', async () => {
  const { writer, groups, gate } = slowly();
  const first = watched(writer.write([log('r', 1)]));
  await nextTurn();
  let open = () => {};
  gate.ready = new Promise((resolve) => {
    open = resolve;
  });
  const second = watched(writer.write([log('r', 2)]));
  await nextTurn();
  groups[0]?.settle(new Error('disk full'));
  await nextTurn();
  open();
  await nextTurn();
  assert.deepEqual([first.end, second.end, groups.length], ['disk full', 'disk full', 1]);
});

test('a group that is not made durable, and what had its place after it, may be given again', async () => {
  const { writer, groups } = slowly();
  const ends = [1, 2].map((line) => watched(writer.write([log('r', line)])));
  await nextTurn();
  const late = watched(writer.write([log('r', 3)]));
  await nextTurn();
  for (const { settle } of groups) settle(new Error('disk full'));
  await nextTurn();
  assert.deepEqual(
    [...ends, late].map(({ end }) => end),
    ['disk full', 'disk full', 'disk full'],
  );
  assert.equal(groups.length, 2);
  const again = watched(writer.write([log('r', 1), log('r', 2), log('r', 3)]));
  await nextTurn();
  groups[2]?.settle();
  await nextTurn();
  assert.equal(again.end, 'durable');
  assert.deepEqual(groups[2]?.contents, [log('r', 1), log('r', 2), log('r', 3)]);
});

for (const error of [undefined, new Error('disk full')]) {
  test(`records that are sent again while they are on their way have the same end: ${error?.message ?? 'durable'}`, async () => {
    const { writer, groups } = slowly();
    const first = watched(writer.write([log('r', 1), log('r', 2)]));
    await nextTurn();
    const again = watched(writer.write([log('r', 1), log('r', 2)]));
    await nextTurn();
    assert.equal(groups.length, 1);
    assert.equal(again.end, 'waits');
    groups[0]?.settle(error);
    await nextTurn();
    assert.deepEqual([first.end, again.end], Array(2).fill(error?.message ?? 'durable'));
  });
}

test('a run whose records were published goes on, whatever becomes of others when they are sent again', async () => {
  const { writer, groups } = slowly();
  const first = watched(writer.write([log('r', 1)]));
  await nextTurn();
  groups[0]?.settle();
  await nextTurn();
  const other = watched(writer.write([log('other', 1)]));
  await nextTurn();
  const again = watched(writer.write([log('r', 1)]));
  await nextTurn();
  groups[1]?.settle(new SsblogError('store', 'disk full'));
  await nextTurn();
  const once = watched(writer.write([log('r', 1)]));
  await nextTurn();
  const next = watched(writer.write([log('r', 2)]));
  await nextTurn();
  groups[2]?.settle();
  await nextTurn();
  assert.deepEqual(
    [first.end, other.end, again.end, once.end, next.end],
    ['durable', 'disk full', 'disk full', 'durable', 'durable'],
  );
});
