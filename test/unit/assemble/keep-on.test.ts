import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepOn } from '../../../src/assemble/keep-on.ts';
import { openStore } from '../../../src/store/open.ts';
import { block, FakeFeed, freshDirectory } from '../store/fake-feed.ts';

/** A store that is filled through one connection and watched through another, as two processes do it. */
function setup(t: TestContext) {
  const file = join(freshDirectory(t), 'store.db');
  const writer = openStore(file);
  const reader = openStore(file, { readOnly: true });
  t.after(() => {
    reader.close();
    writer.close();
  });
  const feed = new FakeFeed('nas');
  const arrive = () => writer.ingest([feed.message(block(feed.sequence + 1, ['a line']))]);
  return { file, reader, writer, arrive, controller: new AbortController() };
}

test('every change of the store makes a round, at most one a second, until the signal comes', async (t) => {
  const { reader, arrive, controller } = setup(t);
  const seen: number[] = [];
  const times: number[] = [];
  arrive();
  const rounds = keepOn(reader, controller.signal, async () => {
    seen.push(reader.lastRow());
    times.push(performance.now());
    // These come while a round is under way: the next one must show them.
    if (seen.length === 1) for (let count = 0; count < 50; count += 1) arrive();
    if (seen.length === 2) arrive();
    if (seen.length === 3) controller.abort('SIGTERM');
  });
  await assert.rejects(rounds, (error) => error === 'SIGTERM' || (error as Error).name === 'AbortError');
  assert.deepEqual(seen, [1, 51, 52]);
  for (const [index, time] of times.slice(1).entries()) assert.ok(time - (times[index] ?? 0) > 990);
});

test('what a round meets ends it', async (t) => {
  const { reader, controller } = setup(t);
  await assert.rejects(
    keepOn(reader, controller.signal, async () => {
      throw new Error('no space');
    }),
    /no space/,
  );
});

test('a store that is made anew ends it with a clear word', async (t) => {
  const { reader, file, controller } = setup(t);
  const rounds = keepOn(reader, controller.signal, async () => {
    rmSync(file);
    openStore(file).close();
  });
  await assert.rejects(rounds, { code: 'store', hint: 'run the command again' });
});
