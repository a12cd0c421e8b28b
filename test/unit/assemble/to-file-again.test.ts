/** The second call for a file: what it costs, and what it must not be misled by. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LogFilter } from '../../../src/assemble/lines.ts';
import { type AssembleOptions, assembleToFile } from '../../../src/assemble/to-file.ts';
import { SsblogError } from '../../../src/errors.ts';
import type { Content } from '../../../src/message/content.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { block, FakeFeed, freshDirectory, freshStore, LABELS, log, START_MS } from '../store/fake-feed.ts';

const KILOBYTE = 1024;

function setup(t: TestContext, store = freshStore(t)) {
  const directory = freshDirectory(t);
  const file = join(directory, 'all.log');
  const options = { format: { utc: true }, memory: { dir: join(directory, 'memory') } };
  return {
    store,
    file,
    options,
    async assemble(more: AssembleOptions = {}, filter: LogFilter = {}) {
      return assembleToFile(store, filter, file, { ...options, ...more });
    },
    /** The file is what it would be if it were written now. */
    async assertRight(more: AssembleOptions = {}, filter: LogFilter = {}) {
      const fresh = join(directory, 'fresh.log');
      await assembleToFile(store, filter, fresh, { format: { utc: true }, ...more });
      assert.ok(readFileSync(file).equals(readFileSync(fresh)), readFileSync(file, 'utf8').slice(-1000));
    },
  };
}

const laptop = new FakeFeed('laptop');
const inodeOf = (file: string) => statSync(file).ino;

/** A line of a machine that was away. */
function late(feed: FakeFeed, at: number, text: string): Content {
  return log(1, { bytes: Buffer.from(text), at }, { ...LABELS, run: `late ${feed.sequence}` });
}

test('lines that come after all others are appended', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  store.ingest([laptop.message(block(1, ['one', 'two']))]);
  assert.equal((await assemble()).lines, 2);
  const inode = inodeOf(file);
  store.ingest([laptop.message(block(3, ['three']))]);
  const { lines, isChanged } = await assemble();
  assert.deepEqual([lines, isChanged, inodeOf(file)], [3, true, inode]);
  await assertRight();
});

test('when nothing came, nothing is written', async (t) => {
  const { store, file, assemble } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one']))]);
  await assemble();
  const { mtimeMs, ino } = statSync(file);
  store.ingest([feed.message({ type: 'post', text: 'no line' })]);
  const { lines, isChanged } = await assemble();
  assert.deepEqual([lines, isChanged], [1, false]);
  assert.deepEqual([statSync(file).mtimeMs, inodeOf(file)], [mtimeMs, ino]);
});

test('a late line makes another file, with its beginning copied', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  const [feed, away] = [new FakeFeed('nas'), new FakeFeed('away')];
  const text = 'x'.repeat(100 * KILOBYTE);
  for (let line = 1; line <= 60; line += 1) store.ingest([feed.message(block(line, [`${line} ${text}`]))]);
  await assemble();
  for (const at of [59, 33, 58, 5, 21, 59, 0]) {
    const inode = inodeOf(file);
    store.ingest([away.message(late(away, START_MS + at, `late ${at}`))]);
    const progress: number[] = [];
    await assemble({ onProgress: (lines) => progress.push(lines) });
    await assertRight();
    assert.notEqual(inodeOf(file), inode);
    // The first batch of what was written holds no more than 1 MiB.
    if (at >= 33) assert.ok((progress[0] ?? 0) > 20, `${progress[0]} lines were there when the first were written`);
  }
});

test('a line in several messages grows in its place', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(log(1, { bytes: Buffer.from('long '), more: true }))]);
  await assemble();
  await assertRight();
  store.ingest([new FakeFeed('other').message(block(9, ['after it'], { ...LABELS, run: 'other' }))]);
  await assemble();
  await assertRight();
  const inode = inodeOf(file);
  store.ingest([feed.message(log(2, { bytes: Buffer.from('line'), more: false }))]);
  assert.equal((await assemble()).lines, 2);
  assert.match(readFileSync(file, 'utf8'), /long line\n.*after it\n$/);
  await assertRight();
  assert.notEqual(inodeOf(file), inode);
});

test('a line that grows until a filter lets it through, or does not any more', async (t) => {
  for (const grep of [/line$/, /long $/]) {
    const { store, assemble, assertRight } = setup(t);
    const feed = new FakeFeed('nas');
    store.ingest([feed.message(log(1, { bytes: Buffer.from('long '), more: true }))]);
    await assemble({}, { grep: [grep] });
    store.ingest([feed.message(log(2, { bytes: Buffer.from('line'), more: false }))]);
    await assemble({}, { grep: [grep] });
    await assertRight({}, { grep: [grep] });
  }
});

test('what a killed call has left at the end is not kept', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one']))]);
  await assemble();
  store.ingest([feed.message(block(2, ['two', 'three']))]);
  appendFileSync(file, '2026-11-22 03:00:00 [laptop] -> [nas] two\n2026-11-22 03:00:0');
  await assemble();
  await assertRight();
});

test('a file that was changed, replaced or deleted is written whole', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  store.ingest([new FakeFeed('nas').message(block(1, ['one', 'two']))]);
  const changes = [
    () => rmSync(file),
    () => appendFileSync(file, 'x'),
    () => {
      const text = readFileSync(file);
      rmSync(file);
      appendFileSync(file, text.fill('x'));
    },
  ];
  for (const change of changes) {
    await assemble();
    change();
    assert.equal((await assemble()).isChanged, true);
    await assertRight();
  }
});

test('another filter, form, zone or name makes the file anew', async (t) => {
  const { store, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one', 'two'])), feed.message({ type: 'log', text: 'nameless' })]);
  const filter = { grep: [/ONE/i] };
  for (const [more, which] of [
    [{}, {}],
    [{}, filter],
    [{ format: { utc: false } }, filter],
    [{ format: { output: 'json' } }, filter],
    [{ read: { nameOf: () => 'a name' } }, {}],
    [{ read: { nameOf: () => 'another' } }, {}],
  ] satisfies [AssembleOptions, LogFilter][]) {
    assert.equal((await assemble(more, which)).isChanged, true);
    await assertRight(more, which);
    assert.equal((await assemble(more, which)).isChanged, false);
  }
});

test('a store that was drawn anew, or is another one, is not built on', async (t) => {
  const path = join(freshDirectory(t), 'store.db');
  let store = openStore(path);
  const feeds = [new FakeFeed('one'), new FakeFeed('two')] as const;
  const messages = feeds.map((feed) => feed.message(block(1, [`of ${feed.id}`])));
  store.ingest(messages);
  const first = setup(t, store);
  await first.assemble();
  for (const _ of store.rebuild());
  assert.equal((await first.assemble()).isChanged, true);
  await first.assertRight();
  store.forgetFeed(feeds[0].id);
  assert.equal((await first.assemble()).lines, 1);
  await first.assertRight();
  store.close();

  const again = async (open: Store) => assembleToFile(open, {}, first.file, first.options);
  for (const order of [[1, 0], [0]] as const) {
    rmSync(path);
    store = openStore(path);
    store.ingest(order.map((index) => messages[index] as (typeof messages)[number]));
    assert.deepEqual([(await again(store)).lines], [order.length]);
    store.close();
  }
});

test('through a link and by its own name it is one file', async (t) => {
  const { store, file, options, assemble } = setup(t);
  store.ingest([new FakeFeed('nas').message(block(1, ['one']))]);
  await assemble();
  const link = `${file}.link`;
  symlinkSync(file, link);
  assert.equal((await assembleToFile(store, {}, link, options)).isChanged, false);
});

test('a call that is ended leaves the file as it was, and the next one mends what it must', async (t) => {
  const { store, file, assemble, assertRight, options } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one']))]);
  await assemble();
  const before = readFileSync(file);
  // Of more than one batch.
  const texts = Array.from({ length: 10_000 }, (_, index) => `${index}`);
  store.ingest([feed.message(block(2, texts))]);
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('stopped'));
  await assert.rejects(assemble({ read: { signal: controller.signal }, onProgress }), /stopped/);
  assert.deepEqual(readFileSync(file), before);
  await assemble();
  await assertRight();
  const left = readdirSync(join(options.memory.dir, '..'));
  assert.deepEqual(left.sort(), ['all.log', 'fresh.log', 'memory']);
});

test('a memory that cannot be read or kept costs time, and nothing else', async (t) => {
  const { store, options, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one']))]);
  await assemble();
  const { dir } = options.memory;
  const [name = ''] = readdirSync(dir);
  for (const damage of ['', '{', '{"key":1}', 'null']) {
    rmSync(join(dir, name));
    appendFileSync(join(dir, name), damage);
    store.ingest([feed.message(block(feed.sequence + 1, ['more']))]);
    await assemble();
    await assertRight();
  }
  rmSync(dir, { recursive: true });
  appendFileSync(dir, 'a file is in the way');
  store.ingest([feed.message(block(feed.sequence + 1, ['more']))]);
  await assert.rejects(assemble(), { code: 'io' });
  const told: SsblogError[] = [];
  await assemble({ onForgotten: (error) => told.push(error) });
  await assertRight();
  assert.ok(told[0] instanceof SsblogError && told[0].code === 'io' && told.length === 1);
});

test('of files that are gone nothing is remembered', async (t) => {
  const { store, file, options, assemble } = setup(t);
  const remembered = () => readdirSync(options.memory.dir).length;
  await assemble();
  await assembleToFile(store, {}, `${file}.2`, options);
  assert.equal(remembered(), 2);
  rmSync(file);
  await assembleToFile(store, {}, `${file}.2`, options);
  await assembleToFile(store, {}, `${file}.3`, options);
  assert.equal(remembered(), 2);
  assert.equal((await assembleToFile(store, {}, `${file}.2`, options)).isChanged, false);
});

test('what is remembered is for the owner only, and holds no lines', async (t) => {
  const { store, options, assemble } = setup(t);
  store.ingest([new FakeFeed('nas').message(block(1, ['a secret']))]);
  await assemble();
  const { dir } = options.memory;
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) {
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(join(dir, name), 'utf8'), /secret/);
  }
});

test('a file that may be read only is replaced all the same', { skip: process.getuid?.() === 0 }, async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  store.ingest([feed.message(block(1, ['one']))]);
  await assemble();
  chmodSync(file, 0o400);
  store.ingest([feed.message(block(2, ['two']))]);
  await assemble();
  await assertRight();
});

test('a line that the filter lets through only when it has gone on is written then', async (t) => {
  const { store, file, assemble, assertRight } = setup(t);
  const feed = new FakeFeed('nas');
  const filter = { grep: [/whole/] };
  const piece = (line: number, bytes: string, more: boolean, afterMs = 0) =>
    feed.message(log(line, { at: START_MS + afterMs, bytes: Buffer.from(bytes), more }, { ...LABELS, run: 'long' }));
  assert.equal((await assemble({}, filter)).lines, 0);
  store.ingest([piece(1, 'not yet ', true)]);
  assert.equal((await assemble({}, filter)).isChanged, false);
  // Another line, which sorts after it, is appended or written anew meanwhile.
  store.ingest([late(feed, START_MS + 5, 'whole')].map((content) => feed.message(content)));
  assert.equal((await assemble({}, filter)).lines, 1);
  store.ingest([piece(2, 'whole', false, 1)]);
  assert.equal((await assemble({}, filter)).lines, 2);
  assert.match(readFileSync(file, 'utf8'), /not yet whole\n/);
  await assertRight({}, filter);
});
