import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DatabaseSync } from '@photostructure/sqlite';
import {
  type LogFilter,
  type LogLine,
  type LogLines,
  OpenLines,
  type ReadOptions,
  readLines,
} from '../../../src/assemble/lines.ts';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { MAX_BLOCK_RECORDS } from '../../../src/message/limits.ts';
import { encodeLog } from '../../../src/message/log.ts';
import type { LogRecord, StreamName } from '../../../src/message/record.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Random, seededRandom } from '../../helpers/random.ts';
import { block, FakeFeed, freshDirectory, freshStore, LABELS, log, records, START_MS } from '../store/fake-feed.ts';
import { type ExpectedLine, expectedLines, sorted } from './expected-lines.ts';

async function read(store: Store, filter: LogFilter = {}, options: ReadOptions = {}): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const batch of readLines(store, filter, options)) {
    assert.ok(batch.length > 0, 'no batch is empty');
    lines.push(...batch);
  }
  return lines;
}

async function texts(store: Store, filter: LogFilter = {}, options: ReadOptions = {}): Promise<string[]> {
  return (await read(store, filter, options)).map(({ bytes }) => bytes.toString('latin1'));
}

function plain(lines: readonly LogLine[]): ExpectedLine[] {
  return lines.map(({ at, feed, run, line, source, bytes }) => ({
    at,
    feed,
    run: run ?? '',
    line: line ?? 0,
    source,
    text: bytes.toString('latin1'),
  }));
}

/** What batches hold at their time. */
async function passing(store: Store, options: ReadOptions): Promise<ExpectedLine[]> {
  const lines: ExpectedLine[] = [];
  for await (const batch of readLines(store, {}, { ...options, isTransient: true })) lines.push(...plain([...batch]));
  return lines;
}

/** Records of one run: times that stand still now and then, two streams, in half of the runs lines in pieces. */
function randomRun(random: Random, count: number, padding: string): LogRecord[] {
  let at = START_MS + random.below(3000);
  const hasPieces = random.below(2) === 0;
  const streams: readonly (StreamName | undefined)[] = random.below(2) === 0 ? [undefined] : ['stdout', 'stderr'];
  return Array.from({ length: count }, (_, index) => {
    if (random.below(3) === 0) at += random.below(40);
    return {
      line: index + 1,
      at,
      bytes: Buffer.from(`${index + 1} ${random.below(1000)}${padding}`),
      level: random.pick([undefined, 'err', 'info'] as const),
      stream: random.pick(streams),
      more: hasPieces && random.below(8) === 0,
    };
  });
}

/** The run's records as contents, one by one and in blocks. */
function randomContents(random: Random, labels: typeof LABELS, run: readonly LogRecord[]): Content[] {
  const contents: Content[] = [];
  for (let start = 0; start < run.length; ) {
    const part = run.slice(start, start + 1 + (random.below(3) === 0 ? 0 : random.below(60)));
    start += part.length;
    contents.push(part.length === 1 && part[0] ? encodeLog(labels, part[0]) : encodeBlock(labels, part));
  }
  return contents;
}

/** Messages of several feeds with several runs each that overlap in time, and the lines that they must give. */
function randomLog(seed: number, padding = ''): { messages: SignedMessage[]; expected: ExpectedLine[] } {
  const random = seededRandom(seed);
  const queues: { feed: FakeFeed; contents: Content[] }[] = [];
  const expected: ExpectedLine[] = [];
  for (const name of ['a', 'b', 'c']) {
    const feed = new FakeFeed(name);
    for (let run = 0; run < 4; run += 1) {
      const labels = { run: `run-${run}`, source: random.pick(['laptop', 'nas', 'vps']), destination: 'x', job: 'y' };
      const all = randomRun(random, random.below(300), padding);
      queues.push({ feed, contents: randomContents(random, labels, all) });
      expected.push(...expectedLines(feed.id, labels, all));
    }
  }
  const messages: SignedMessage[] = [];
  for (let left = queues; left.length > 0; left = left.filter(({ contents }) => contents.length > 0)) {
    const { feed, contents } = random.pick(left);
    const content = contents.shift();
    if (content !== undefined) messages.push(feed.message(content));
  }
  return { messages, expected: sorted(expected) };
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`what passes may have memory of its own (random log ${seed})`, async (t) => {
    const { messages, expected } = randomLog(seed, ' '.repeat(2000));
    const store = freshStore(t);
    store.ingest(messages);
    for (const options of [{}, { maxLines: 7 }]) assert.deepEqual(await passing(store, options), expected);
    assert.deepEqual(
      await passing(store, { openLines: new OpenLines() }),
      plain(await read(store, {}, { openLines: new OpenLines() })),
    );
    assert.deepEqual(await passing(store, { reverse: true, maxLines: 7 }), expected.toReversed());
    for (const limit of [1, 100, 100_000])
      assert.deepEqual(await passing(store, { limit }), expected.slice(-limit), `-n ${limit}`);
  });

  test(`lines of many feeds and runs come sorted and whole (random log ${seed})`, async (t) => {
    const { messages, expected } = randomLog(seed);
    const store = freshStore(t);
    store.ingest(messages);
    const lines = plain(await read(store));
    assert.deepEqual(lines, expected);
    assert.deepEqual(plain(await read(store, {}, { reverse: true })), expected.toReversed());
    for (const limit of [0, 1, 7, 100, 100_000])
      assert.deepEqual(
        plain(await read(store, {}, { limit })),
        limit === 0 ? [] : expected.slice(-limit),
        `-n ${limit}`,
      );
    for (const options of [{}, { maxLines: 7 }])
      assert.deepEqual(await passing(store, options), expected, 'batches that pass');
    assert.deepEqual(await passing(store, { reverse: true, maxLines: 7 }), expected.toReversed());
    assert.deepEqual(await passing(store, { limit: 100 }), expected.slice(-100));
    const times = { since: START_MS + 700, until: START_MS + 1900 };
    const between = expected.filter(({ at }) => at >= times.since && at <= times.until);
    assert.deepEqual(plain(await read(store, times)), between);
    assert.deepEqual(plain(await read(store, times, { reverse: true })), between.toReversed());
    assert.deepEqual(plain(await read(store, times, { limit: 5 })), between.slice(-5));
    assert.deepEqual(
      plain(await read(store, { sources: ['nas'] })),
      expected.filter(({ source }) => source === 'nas'),
    );
    assert.deepEqual(
      plain(await read(store, { runs: ['run-2'], ...times })),
      between.filter(({ run }) => run === 'run-2'),
    );
    assert.deepEqual(
      plain(await read(store, { grep: [/ 1\d\d$/, /^7 /] })),
      expected.filter(({ text }) => / 1\d\d$/.test(text) || /^7 /.test(text)),
    );
  });

  test(`the order in which messages arrive does not matter (random log ${seed})`, async (t) => {
    const { messages, expected } = randomLog(seed);
    const store = freshStore(t);
    for (const ofFeed of [...groupByAuthor(messages).values()].reverse()) store.ingest(ofFeed);
    assert.deepEqual(plain(await read(store)), expected);
  });
}

function groupByAuthor(messages: readonly SignedMessage[]): Map<string, SignedMessage[]> {
  const groups = new Map<string, SignedMessage[]>();
  for (const message of messages) {
    const { author } = message.value;
    groups.set(author, [...(groups.get(author) ?? []), message]);
  }
  return groups;
}

test('a line has all that its message says', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const record = { at: START_MS, bytes: Buffer.from('hello'), level: 'err', stream: 'stderr' } as const;
  store.ingest([feed.message(log(1, record)), feed.message(block(2, [record]))]);
  const line = {
    ...record,
    ...{ source: 'laptop', destination: 'nas', job: 'nightly', run: 'run-1' },
    ...{ line: 1, feed: feed.id, sequence: 1 },
  };
  assert.deepEqual(await read(store), [line, { ...line, line: 2, sequence: 2 }]);
});

test('a line that does not say where it comes from has its machine as the source', async (t) => {
  const store = freshStore(t);
  const [named, nameless] = [new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([
    named.message({ type: 'log', text: 'one' }, START_MS),
    nameless.message({ type: 'log', text: 'two', source: 42 }, START_MS + 1),
    nameless.message({ type: 'log', text: 'three' }, START_MS + 2.5),
  ]);
  const nameOf = (feed: string) => (feed === named.id ? 'laptop' : undefined);
  const lines = await read(store, {}, { nameOf });
  assert.deepEqual(
    lines.map(({ source }) => source),
    ['laptop', '42', nameless.id.slice(0, 9)],
  );
  assert.deepEqual(lines.map(({ at, run, line }) => [at, run, line]).at(-1), [START_MS + 2, undefined, undefined]);
  assert.deepEqual(await texts(store, { sources: ['laptop', '42'] }, { nameOf }), ['one', 'two']);
});

test('lines of the same time come by feed, run and number, then in the order of messages', async (t) => {
  const store = freshStore(t);
  const feeds = ['a', 'b', 'c'].map((name) => new FakeFeed(name));
  const at = START_MS;
  for (const feed of feeds) {
    store.ingest([
      feed.message({ type: 'log', text: 'no run 1', at }),
      feed.message(
        block(
          1,
          [
            { at, bytes: Buffer.from('z1') },
            { at, bytes: Buffer.from('z2') },
          ],
          { run: 'z', source: 's' },
        ),
      ),
      feed.message(log(1, { at, bytes: Buffer.from('A1') }, { run: 'A', source: 's' })),
      feed.message({ type: 'log', text: 'no run 2', at }),
      ...['x', 'y', 'z'].map((text) => feed.message({ type: 'log', text, at, line: 99 })),
      feed.message(log(3, { at, bytes: Buffer.from('z3') }, { run: 'z', source: 's' })),
    ]);
  }
  const ofFeed = ['no run 1', 'no run 2', 'x', 'y', 'z', 'A1', 'z1', 'z2', 'z3'];
  const lines = await read(store);
  assert.deepEqual(
    lines.map(({ bytes }) => bytes.toString()),
    [...ofFeed, ...ofFeed, ...ofFeed],
  );
  const ids = feeds.map(({ id }) => id).sort();
  assert.deepEqual([...new Set(lines.map(({ feed }) => feed))], ids);
  assert.deepEqual(await texts(store, {}, { reverse: true }), [...ofFeed, ...ofFeed, ...ofFeed].reverse());
});

test('a run whose clock stands still is read in its order', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const lines = Array.from({ length: 3000 }, (_, index) => ({ at: START_MS, bytes: Buffer.from(String(index)) }));
  const messages = [];
  for (let start = 0; start < lines.length; start += 10)
    messages.push(feed.message(block(start + 1, lines.slice(start, start + 10))));
  store.ingest(messages);
  const expected = lines.map(({ bytes }) => bytes.toString());
  assert.deepEqual(await texts(store), expected);
  assert.deepEqual(await texts(store, {}, { limit: 1234 }), expected.slice(-1234));
});

test('filters of one kind mean or, of several kinds and', async (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  const from = (source: string, destination: string | undefined, job: string | undefined, text: string) => ({
    ...{ type: 'log', text, at: START_MS, source, level: text === 'three' ? 'warn' : 'INFO' },
    ...(destination && { destination }),
    ...(job && { job }),
  });
  store.ingest([
    a.message(from('laptop', 'nas', 'nightly', 'one')),
    a.message(from('laptop', undefined, 'nightly', 'two')),
    a.message(from('vps', 'nas', undefined, 'three')),
    b.message(from('laptop', 'nas', 'weekly', 'four')),
    b.message({ type: 'log', text: 'five', at: START_MS + 1 }),
  ]);
  const cases: [LogFilter, string[]][] = [
    [{}, ['one', 'two', 'three', 'four', 'five']],
    [{ sources: ['laptop'] }, ['one', 'two', 'four']],
    [{ sources: ['laptop', 'vps'], jobs: ['nightly', 'weekly'] }, ['one', 'two', 'four']],
    [{ destinations: ['nas'], feeds: [a.id] }, ['one', 'three']],
    [{ jobs: ['none'] }, []],
    [{ feeds: [] }, []],
    [{ runs: ['none'] }, []],
    [{ minLevel: 'warning' }, ['three']],
    [{ minLevel: 'debug', feeds: [b.id] }, ['four']],
    [{ since: START_MS + 1 }, ['five']],
    [{ until: START_MS, grep: [/^t/, /FOUR/i] }, ['two', 'three', 'four']],
    [{ grep: [/o/g] }, ['one', 'two', 'four']],
  ];
  for (const [filter, expected] of cases)
    assert.deepEqual((await texts(store, filter)).sort(), expected.toSorted(), JSON.stringify(filter));
});

test('level and time also decide within a block', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([
    feed.message(block(1, [{ bytes: Buffer.from('a') }, { bytes: Buffer.from('b'), level: 'crit' }, 'c', 'd'])),
  ]);
  assert.deepEqual(await texts(store, { minLevel: 'err' }), ['b']);
  assert.deepEqual(await texts(store, { since: START_MS + 3 }), ['c', 'd']);
  assert.deepEqual(await texts(store, { until: START_MS + 2 }), ['a', 'b']);
  assert.deepEqual(await texts(store, { until: START_MS + 2 }, { limit: 1 }), ['b']);
});

test('a run that is asked for is found among others of its labels and times', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const runs = ['r1', 'r2', 'r3'];
  for (let index = 0; index < 30; index += 1) {
    const labels = { ...LABELS, run: runs[index % 3] ?? '' };
    store.ingest([
      feed.message(log(Math.floor(index / 3) + 1, { at: START_MS + index, bytes: Buffer.from(labels.run) }, labels)),
    ]);
  }
  assert.deepEqual(await texts(store, { runs: ['r2'] }), Array(10).fill('r2'));
  assert.deepEqual((await texts(store, { runs: ['r1', 'r3', 'none'] })).length, 20);
  assert.deepEqual(await texts(store, { runs: ['r2'] }, { limit: 2 }), ['r2', 'r2']);
});

test('a long line is put together byte for byte, over messages and between lines of the other stream', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const out = (bytes: string, more = false) =>
    ({ bytes: Buffer.from(bytes, 'latin1'), stream: 'stdout', more }) as const;
  const err = (bytes: string, more = false) => ({ ...out(bytes, more), stream: 'stderr' }) as const;
  store.ingest([
    feed.message(block(1, [out('\xff\xfe', true), err('warning'), out('\x00', true)])),
    feed.message(log(4, err('second ', true))),
    feed.message(block(5, [err('warning'), out(' end'), out('next')])),
  ]);
  const expected = ['\xff\xfe\x00 end', 'warning', 'second warning', 'next'];
  assert.deepEqual(await texts(store), expected);
  assert.deepEqual(await texts(store, {}, { reverse: true }), expected.toReversed());
  assert.deepEqual(
    (await read(store)).map(({ line, sequence }) => [line, sequence]),
    [
      [1, 1],
      [2, 1],
      [4, 2],
      [7, 3],
    ],
  );
  assert.deepEqual(await texts(store, { grep: [/d warn/] }), ['second warning'], 'the whole line is searched');
});

test('a line of 50 MB comes back whole', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const piece = Buffer.alloc(500_000, 'x');
  const count = 100;
  for (let line = 1; line <= count; line += 1)
    store.ingest([feed.message(block(line, [{ at: START_MS, bytes: piece, more: line < count }]))]);
  store.ingest([feed.message(log(count + 1, 'after'))]);
  for (const options of [{}, { reverse: true }, { limit: 2 }]) {
    const lines = await read(store, {}, options);
    assert.deepEqual(lines.map(({ bytes }) => bytes.length).sort(), [count * piece.length, 5].sort());
  }
  assert.equal(store.lineCount(), 2);
});

test('a line without an end is given out in parts', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const piece = Buffer.alloc(1_000_000, 'x');
  for (let line = 1; line <= 70; line += 1)
    store.ingest([feed.message(block(line, [{ at: START_MS, bytes: piece, more: true }]))]);
  const lengths = (await read(store)).map(({ bytes }) => bytes.length);
  assert.deepEqual(lengths, [68_000_000, 2_000_000]);
});

test('pieces whose end never came are shown as far as they go', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const piece = (bytes: string) => ({ bytes: Buffer.from(bytes), more: true });
  store.ingest([
    feed.message(block(1, [piece('one, '), piece('two, ')])),
    feed.message(block(4, ['after a gap'])),
    feed.message(log(5, { at: START_MS + 9, ...piece('last ') })),
  ]);
  assert.deepEqual(await texts(store), ['one, two, ', 'after a gap', 'last ']);
});

test('pieces of other runs, feeds and labels are not mixed in', async (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  const piece = (bytes: string, more: boolean) => ({ at: START_MS, bytes: Buffer.from(bytes), more });
  const other = { ...LABELS, run: 'run-2' };
  const moved = { ...LABELS, source: 'elsewhere' };
  store.ingest([
    a.message(log(1, piece('a', true))),
    b.message(log(1, piece('b', true))),
    a.message(log(1, piece('c', true), other)),
    a.message(log(2, piece('c!', false), other)),
    a.message(log(2, piece('moved', false), moved)),
    a.message({ type: 'log', text: 'no number', run: 'run-1', more: true, at: START_MS }),
    b.message(log(2, piece('b!', false))),
  ]);
  assert.deepEqual((await texts(store)).sort(), ['a', 'bb!', 'cc!', 'moved', 'no number']);
  assert.deepEqual((await texts(store, {}, { reverse: true })).sort(), ['a', 'bb!', 'cc!', 'moved', 'no number']);
});

test('a line that came twice is shown once, and all of what came in disorder', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([
    feed.message(block(1, ['1', '2'])),
    feed.message(block(5, ['5', '6'])),
    feed.message(block(1, ['1', '2', '3', '4', '5', '6', '7'])),
    feed.message(log(3, '3')),
  ]);
  assert.deepEqual(await texts(store), ['1', '2', '3', '4', '5', '6', '7']);
  assert.deepEqual(await texts(store, {}, { reverse: true }), ['7', '6', '5', '4', '3', '2', '1']);
});

test('blocks of very many empty lines are read a part at a time, in both directions', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const count = 4 * MAX_BLOCK_RECORDS;
  const empty = Array.from({ length: MAX_BLOCK_RECORDS }, () => ({ at: START_MS, bytes: Buffer.alloc(0) }));
  const blocks = [0, 1, 2, 3].map((index) => encodeBlock(LABELS, records(index * MAX_BLOCK_RECORDS + 1, empty)));
  store.ingest([...blocks.map((block) => feed.message(block)), feed.message(log(count + 1, 'after'))]);
  const numbers = (await read(store)).map(({ line }) => line);
  assert.deepEqual(
    numbers,
    Array.from({ length: count + 1 }, (_, index) => index + 1),
  );
  const backwards = (await read(store, {}, { reverse: true })).map(({ line }) => line);
  assert.deepEqual(backwards, numbers.toReversed());
  assert.deepEqual(
    (await read(store, {}, { limit: 20_000 })).map(({ line }) => line),
    numbers.slice(-20_000),
  );
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('many large blocks that overlap are not all open at once', async (t) => {
  const store = freshStore(t);
  const filler = 'x'.repeat(800_000);
  const blocks = 300;
  const messages = Array.from({ length: blocks }, (_, index) => {
    const [first, middle, last] = ['first', 'middle', 'last'].map((text) => Buffer.from(`${index} ${text} ${filler}`));
    const labels = { run: `run-${index}`, source: 's' };
    const times = [index, 500 + index, 1000 + index].map((ms) => START_MS + ms);
    return new FakeFeed(`feed ${index}`).message(
      encodeBlock(labels, [
        ...records(1, [{ at: times[0] ?? 0, bytes: first?.subarray(0, 20) ?? Buffer.alloc(0) }]),
        ...records(2, [{ at: times[1] ?? 0, bytes: middle ?? Buffer.alloc(0) }]),
        ...records(3, [{ at: times[2] ?? 0, bytes: last?.subarray(0, 20) ?? Buffer.alloc(0) }]),
      ]),
    );
  });
  store.ingest(messages);
  const expected = ['first', 'middle', 'last'].flatMap((text) =>
    Array.from({ length: blocks }, (_, index) => `${index} ${text}`),
  );
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const seen: string[] = [];
  for await (const batch of readLines(store, {})) {
    collectGarbage(); // what counts is what is held
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    seen.push(...Array.from(batch, ({ bytes }) => bytes.toString('latin1', 0, 10).split(' ').slice(0, 2).join(' ')));
  }
  const shortened = (text: string) => text.slice(0, 10);
  assert.deepEqual(seen.map(shortened), expected.map(shortened));
  assert.ok(most < 100_000_000, `${most} bytes of ${blocks * filler.length} were open`);
});

test('a message that the file has lost or broken is counted and left out', async (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const store = openStore(file);
  t.after(() => store.close());
  store.ingest([
    feed.message(block(1, ['1', '2'])),
    feed.message(block(3, ['3', '4'])),
    feed.message(log(5, '5')),
    feed.message(log(6, '6')),
    feed.message(block(7, ['7', { bytes: Buffer.from('8, '), more: true }])),
    feed.message(block(9, [{ bytes: Buffer.from('9'), more: true }, 'ten'])),
  ]);
  const db = new DatabaseSync(file);
  db.exec(`UPDATE messages SET data = CAST('AAAA' || data AS BLOB) WHERE sequence IN (2, 6);
    UPDATE messages SET value = 'no json' WHERE sequence = 3;
    DELETE FROM messages WHERE sequence = 1`);
  db.close();
  const unreadable: number[] = [];
  const onUnreadable = (messages: number) => unreadable.push(messages);
  assert.deepEqual(await texts(store, {}, { onUnreadable }), ['6', '7', '8, ']);
  assert.deepEqual(await texts(store, {}, { onUnreadable, reverse: true }), ['8, ', '7', '6']);
  assert.ok(
    unreadable.every((messages) => messages >= 4),
    String(unreadable),
  );
});

test('who follows gets what arrived after a row, sorted', async (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([a.message(log(5, 'old'))]);
  const afterRow = store.lastRow();
  assert.deepEqual(await texts(store, {}, { afterRow }), []);
  store.ingest([a.message(log(6, 'newer')), b.message(log(1, 'late'))]);
  const upToRow = store.lastRow();
  store.ingest([a.message(log(7, 'newest'))]);
  assert.deepEqual(await texts(store, {}, { afterRow, upToRow }), ['late', 'newer']);
  assert.deepEqual(await texts(store, {}, { afterRow: upToRow }), ['newest']);
  assert.deepEqual(await texts(store, { grep: [/newe/] }, { afterRow }), ['newer', 'newest']);
});

test('a long time later there may be more new rows than are sorted at once', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([feed.message(log(1, 'old'))]);
  const afterRow = store.lastRow();
  const count = 20_500;
  for (let line = 2; line < count + 2; line += 100)
    store.ingest(Array.from({ length: 100 }, (_, index) => feed.message(log(line + index, String(line + index)))));
  const lines = await read(store, {}, { afterRow });
  assert.deepEqual(
    lines.map(({ line }) => line),
    Array.from({ length: count }, (_, index) => index + 2),
  );
});

test('who follows gets a long line when its last piece has come', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const openLines = new OpenLines();
  let afterRow = 0;
  const follow = async (filter: LogFilter = {}) => {
    const upToRow = store.lastRow();
    const found = await texts(store, filter, { afterRow, upToRow, openLines });
    afterRow = upToRow;
    return found;
  };
  const piece = (bytes: string) => ({ bytes: Buffer.from(bytes), more: true });
  store.ingest([feed.message(block(1, ['whole', piece('a')]))]);
  assert.deepEqual(await follow(), ['whole']);
  store.ingest([feed.message(log(3, piece('b'))), feed.message(log(1, 'other', { run: 'run-2', source: 's' }))]);
  assert.deepEqual(await follow(), ['other']);
  store.ingest([feed.message(block(4, [{ bytes: Buffer.from('c') }, 'next', piece('never ')]))]);
  assert.deepEqual(await follow(), ['abc', 'next']);
  store.ingest([feed.message(log(7, piece('ends')))]);
  assert.deepEqual(await follow(), []);
  assert.deepEqual(
    openLines.takeAll().map(({ bytes, line }) => [bytes.toString(), line]),
    [['never ends', 6]],
  );
  assert.deepEqual(openLines.takeAll(), []);
});

test('reading the last lines leaves an unfinished one to the follower, once', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const openLines = new OpenLines();
  store.ingest([feed.message(block(1, ['one', 'two', { bytes: Buffer.from('a'), more: true }]))]);
  assert.deepEqual(await texts(store, {}, { limit: 1, openLines }), ['two']);
  assert.deepEqual(await texts(store, {}, { openLines }), ['one', 'two'], 'also when the past is read twice');
  const afterRow = store.lastRow();
  store.ingest([feed.message(log(4, 'b'))]);
  assert.deepEqual(await texts(store, {}, { afterRow, openLines }), ['ab']);
});

test('reading ends when it is aborted', async (t) => {
  const store = manyLines(t);
  const abort = new AbortController();
  let lines = 0;
  const reading = async () => {
    for await (const batch of readLines(store, {}, { signal: abort.signal })) {
      lines += batch.length;
      abort.abort(new Error('enough'));
    }
  };
  await assert.rejects(reading(), /enough/);
  assert.ok(lines > 0 && lines < 20_000);
});

test('reading lets others have their turn, even when no line matches', async (t) => {
  const store = manyLines(t);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  t.after(() => clearInterval(timer));
  for (let index = 0; index < 5; index += 1) assert.deepEqual(await texts(store, { grep: [/no such text/] }), []);
  assert.ok(turns > 0);
});

function manyLines(t: TestContext): Store {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  for (let line = 1; line <= 20_000; line += 100)
    store.ingest([
      feed.message(
        block(
          line,
          Array.from({ length: 100 }, (_, index) => `line ${line + index}`),
        ),
      ),
    ]);
  return store;
}

for (const [at, first] of [
  [START_MS, 3],
  [START_MS + 10, 5],
] as const) {
  test(`a message of which some records came before shows the others only (from ${first})`, async (t) => {
    const store = freshStore(t);
    const feed = new FakeFeed('a');
    const ofOneTime = (line: number, time: number, all: readonly string[]) =>
      block(
        line,
        all.map((text) => ({ bytes: Buffer.from(text), at: time })),
      );
    const expected = ['1', '2', '3', '4', '5', '6'];
    const before = expected.slice(first - 1, first + 1);
    const later = expected.map((text) => (before.includes(text) ? 'x' : text));
    store.ingest([feed.message(ofOneTime(first, at, before)), feed.message(ofOneTime(1, START_MS, later))]);
    assert.deepEqual(await texts(store), expected);
    assert.deepEqual(await texts(store, {}, { reverse: true }), expected.toReversed());
  });
}

test('a line without a number stands where its message has its number, whichever way it is read', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const numbered = block(
    1,
    ['1', '2', '3', '4', '5'].map((text) => ({ bytes: Buffer.from(text), at: START_MS })),
  );
  const { run, source } = LABELS;
  store.ingest([
    feed.message(numbered),
    feed.message({ type: 'post', text: 'x' }),
    feed.message({ type: 'log', run, source, text: 'third message', at: START_MS }),
  ]);
  const expected = ['1', '2', '3', 'third message', '4', '5'];
  const forward = await texts(store);
  assert.deepEqual(forward, expected);
  assert.deepEqual(await texts(store, {}, { reverse: true }), expected.toReversed());
});

test('memory of batches that pass is given back with them, without the garbage collector', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('laptop');
  const text = 'x'.repeat(1000);
  const blocks = 300;
  const texts = Array.from({ length: 100 }, (_, index) => `${index} ${text}`);
  store.ingest(Array.from({ length: blocks }, (_, index) => feed.message(block(1 + 100 * index, texts))));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  let bytes = 0;
  let earlier: LogLines | undefined;
  for await (const batch of readLines(store, {}, { isTransient: true })) {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    for (const line of batch) bytes += line.bytes.length;
    earlier ??= batch;
  }
  assert.ok(bytes > blocks * 100 * 1000);
  assert.ok(most < 4e6, `${most} bytes are in use`);
  assert.throws(() => earlier?.first, /no record/);
});

test('a batch has about as many lines as are wanted', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([feed.message(block(1, Array(600).fill('x')))]);
  for (const [maxLines, size] of [
    [1, 1],
    [7, 7],
    [300, 512],
  ] as const) {
    const sizes: number[] = [];
    for await (const batch of readLines(store, {}, { maxLines })) sizes.push(batch.length);
    assert.equal(sizes[0], size);
    assert.equal(
      sizes.reduce((sum, count) => sum + count),
      600,
    );
  }
});
