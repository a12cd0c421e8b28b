import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { SsblogError } from '../../../src/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import type { LabelRow, Store } from '../../../src/store/store.ts';
import { block, FakeFeed, freshDirectory, freshStore, LABELS, log, START_MS } from './fake-feed.ts';

function rows(store: Store): Partial<LabelRow>[] {
  return [...store.labels({ order: 'ascending' })];
}

/** Which record numbers each message adds to the log. */
function ranges(store: Store): [sequence: number, line: number | null, lines: number][] {
  return [...store.labels({ order: 'ascending' })]
    .sort((a, b) => a.id - b.id)
    .map(({ sequence, line, lines }) => [sequence, line, lines]);
}

test('a message is kept exactly as it was signed', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const messages = [
    feed.message({ type: 'log', zebra: 1, text: 'first', ä: [null, 1.5, { b: 1, a: 2 }] }, START_MS + 0.25),
    feed.message('encrypted.box'),
    feed.message({ type: 'post', text: 'something else' }),
  ];
  store.ingest(messages);
  for (const message of messages) {
    const kept = store.message(feed.id, message.value.sequence);
    assert.deepEqual(kept, message);
    assert.equal(JSON.stringify(kept?.value), JSON.stringify(message.value), 'the order of keys too');
  }
  assert.equal(store.message(feed.id, 4), undefined);
  assert.equal(store.message('@nobody', 1), undefined);
  assert.equal(store.lineCount(), 1, 'what is no log message has no lines');
});

test("a block of this machine's own older ssblog, which does not tell that its line goes on, is looked into", (t) => {
  const [store, other] = [freshStore(t), freshStore(t)];
  const feed = new FakeFeed('a');
  const data = deflateRawSync(Buffer.from('{"more":[1]}\nwhole\nbegun\n')).toString('base64');
  const content = { type: 'log-block', run: 'r', line: 1, lines: 2, at: [START_MS, START_MS], encoding: 'deflate-raw' };
  const message = feed.message({ ...content, data });
  store.ingest([message], () => true);
  other.ingest([message]);
  assert.equal(store.lineCount(), 1);
  assert.deepEqual(rows(store), rows(other));
});

test('messages of a feed come back in their order, from any of them on', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  const messages = Array.from({ length: 3000 }, (_, index) => a.message(log(index + 1, `line ${index}`)));
  for (const message of messages) store.ingest([message, b.message({ type: 'post' })]);
  assert.deepEqual([...store.messages(a.id, 0)], messages);
  assert.deepEqual([...store.messages(a.id, 2998)], messages.slice(2998));
  assert.deepEqual([...store.messages(a.id, 3000)], []);
});

test('the clock has every feed and its last sequence', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  assert.deepEqual(store.clock(), new Map());
  store.ingest([a.message(log(1, 'x')), b.message('box'), a.message(log(2, 'y'))]);
  assert.deepEqual(
    store.clock(),
    new Map([
      [a.id, 2],
      [b.id, 1],
    ]),
  );
  assert.equal(store.messageCount(), 3);
});

test('a message that is there already is ignored', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const message = feed.message(log(1, 'hello'));
  assert.deepEqual(store.ingest([message]), { messages: 1, lines: 1, records: 0 });
  assert.deepEqual(store.ingest([message]), { messages: 0, lines: 0, records: 0 });
  assert.deepEqual(store.ingest([]), { messages: 0, lines: 0, records: 0 });
  assert.equal(store.lineCount(), 1);
});

test('a message that leaves a gap is refused, and all that came with it', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([a.message(log(1, 'one'))]);
  a.message(log(2, 'never stored'));
  const gap = [b.message(log(1, 'fine')), a.message(log(3, 'three'))];
  assert.throws(
    () => store.ingest(gap),
    (error) => error instanceof SsblogError && error.code === 'store' && error.message.includes('message 3'),
  );
  assert.deepEqual(store.clock(), new Map([[a.id, 1]]));
  assert.deepEqual([store.lineCount(), store.lastRow(), store.runProgress(a.id, LABELS.run)], [1, 1, 1]);
  store.ingest([gap[0] ?? assert.fail()]);
  assert.equal(store.lineCount(), 2, 'the store goes on');
});

test('labels say what a message holds without unpacking it', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([
    feed.message(log(1, { level: 'notice' })),
    feed.message(block(2, ['a', { level: 'err' }, { level: 'warning' }, 'd'])),
    feed.message({ type: 'log', text: 'from another tool' }, START_MS + 10.75),
  ]);
  const [line, many, foreign] = rows(store);
  assert.deepEqual(
    [line?.line, line?.lines, line?.first, line?.last, line?.level],
    [1, 1, START_MS + 1, START_MS + 1, 5],
  );
  assert.deepEqual(
    [many?.line, many?.lines, many?.first, many?.last, many?.level],
    [2, 4, START_MS + 2, START_MS + 5, 3],
  );
  assert.deepEqual([foreign?.line, foreign?.run, foreign?.first, foreign?.level], [null, null, START_MS + 10, null]);
  assert.equal(line?.series, many?.series);
  assert.deepEqual(store.series(line?.series ?? 0), {
    id: line?.series,
    feed: feed.id,
    source: 'laptop',
    destination: 'nas',
    job: 'nightly',
  });
  const { source, destination, job } = store.series(foreign?.series ?? 0) ?? assert.fail();
  assert.deepEqual([source, destination, job], [undefined, undefined, undefined]);
  assert.equal(store.runText(line?.run ?? 0), LABELS.run);
});

test('a line that comes twice is in the log once', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([
    feed.message(block(1, ['a', 'b', 'c'])),
    feed.message(block(1, ['a', 'b', 'c'])),
    feed.message(log(2, 'b')),
    feed.message(log(4, 'd')),
    feed.message(log(4, 'd')),
  ]);
  store.ingest([feed.message(log(4, 'd'))]);
  assert.deepEqual(ranges(store), [
    [1, 1, 3],
    [4, 4, 1],
  ]);
  assert.equal(store.lineCount(), 4);
  assert.equal(store.messageCount(), 6, 'all messages are kept');
});

test('of a block that overlaps what is there only the rest is new', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([
    feed.message(block(1, ['a', 'b'])),
    feed.message(block(5, ['e', 'f'])),
    feed.message(block(1, ['a', 'b', 'c', 'd', 'e', 'f', { level: 'crit' }])),
  ]);
  assert.deepEqual(ranges(store), [
    [1, 1, 2],
    [2, 5, 2],
    [3, 3, 2],
    [3, 7, 1],
  ]);
  assert.deepEqual(
    rows(store).map(({ level }) => level),
    [null, null, null, 2],
  );
  assert.deepEqual([store.lineCount(), store.runProgress(feed.id, LABELS.run)], [7, 7]);
});

test('the same run and number in another feed is another line', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([a.message(log(1, 'x')), b.message(log(1, 'x'))]);
  assert.equal(store.lineCount(), 2);
  assert.deepEqual(
    store
      .findRuns(LABELS.run)
      .map(({ feed }) => feed)
      .sort(),
    [a.id, b.id].sort(),
  );
});

test('lines without a run or without a number cannot be repetitions', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const content = { type: 'log', text: 'same' };
  store.ingest(
    [content, content, { ...content, run: 'r' }, { ...content, run: 'r' }].map((each) => feed.message(each)),
  );
  assert.equal(store.lineCount(), 4);
  assert.equal(store.runProgress(feed.id, 'r'), 0);
});

test('the progress of a run is its highest record number', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  assert.equal(store.runProgress(feed.id, 'run-1'), 0);
  store.ingest([feed.message(block(1, ['a', 'b', 'c']))]);
  assert.equal(store.runProgress(feed.id, 'run-1'), 3);
  store.ingest([feed.message(log(4, 'd')), feed.message(log(1, 'other', { run: 'run-2', source: 'x' }))]);
  assert.deepEqual([store.runProgress(feed.id, 'run-1'), store.runProgress(feed.id, 'run-2')], [4, 1]);
});

test('totals of a feed count lines, not pieces, and what is unreadable', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([
    a.message(block(1, ['x', { more: true }, { more: true }, 'end'])),
    a.message(log(5, { more: true })),
    a.message(log(6, 'end')),
    a.message({ type: 'log' }),
    a.message({ ...block(7, ['z']), lines: 2 }),
    a.message({ ...block(7, ['z']), data: 'AAAA' }),
    b.message('box'),
  ]);
  const feeds = new Map(store.feeds().map((feed) => [feed.id, feed]));
  assert.deepEqual(feeds.get(a.id), { id: a.id, messages: 6, lines: 3, lastAt: START_MS + 6, unreadable: 3 });
  assert.deepEqual(feeds.get(b.id), { id: b.id, messages: 1, lines: 0, lastAt: undefined, unreadable: 0 });
  assert.equal(store.lineCount(), 3);
});

test('a block that cannot be read does not claim its numbers', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  store.ingest([feed.message({ ...block(1, ['a', 'b']), data: '' }), feed.message(block(1, ['a', 'b']))]);
  assert.deepEqual(ranges(store), [[2, 1, 2]]);
});

test('the latest contact counts', (t) => {
  const store = freshStore(t);
  const [a, b, c] = [new FakeFeed('a'), new FakeFeed('b'), new FakeFeed('c')];
  store.ingest([
    a.message({ type: 'contact', contact: b.id, following: true }),
    a.message({ type: 'contact', contact: c.id, following: true }),
    a.message({ type: 'contact', contact: c.id, following: false }),
    a.message({ type: 'contact', contact: b.id }),
    b.message({ type: 'contact', contact: a.id, following: true, blocking: true }),
    b.message({ type: 'contact', contact: c.id, flagged: true }),
    b.message({ type: 'contact', contact: 'nobody', following: true }),
  ]);
  const contacts = store.contacts().sort((x, y) => (x.from + x.to < y.from + y.to ? -1 : 1));
  const expected = [
    { from: a.id, to: b.id, following: true, blocking: false },
    { from: a.id, to: c.id, following: false, blocking: false },
    { from: b.id, to: a.id, following: false, blocking: true },
    { from: b.id, to: c.id, following: false, blocking: true },
  ].sort((x, y) => (x.from + x.to < y.from + y.to ? -1 : 1));
  assert.deepEqual(contacts, expected);
});

test('a name that this machine gave wins over the one a feed gave itself', (t) => {
  const store = freshStore(t);
  const [self, a, b] = [new FakeFeed('self'), new FakeFeed('a'), new FakeFeed('b')];
  store.ingest([
    self.message({ type: 'about', about: self.id, name: 'laptop' }),
    self.message({ type: 'about', about: a.id, name: 'nas' }),
    a.message({ type: 'about', about: a.id, name: 'synology' }),
    b.message({ type: 'about', about: b.id, name: 'old' }),
    b.message({ type: 'about', about: b.id, name: 'vps' }),
    b.message({ type: 'about', about: a.id, name: 'what others call it' }),
  ]);
  assert.deepEqual(
    store.names(self.id),
    new Map([
      [self.id, 'laptop'],
      [a.id, 'nas'],
      [b.id, 'vps'],
    ]),
  );
  assert.equal(store.names(b.id).get(a.id), 'what others call it');
  assert.equal(store.names('@unknown').get(a.id), 'synology');
});

test('labels with a NUL, which the store would cut there, are none', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  for (const run of ['r', 'r\0one', 'r\0two'])
    for (const content of [log(1, 'x', { run, source: run }), block(2, ['y', 'z'], { run, source: run })])
      store.ingest([feed.message(content)]);
  store.ingest([feed.message({ type: 'about', about: feed.id, name: 'laptop\0' })]);
  assert.deepEqual(
    [...store.allSeries()].map(({ source }) => source),
    ['r', undefined],
  );
  assert.equal(store.runProgress(feed.id, 'r'), 3);
  assert.equal(store.lineCount(), 5, 'lines without a run are still lines');
  assert.equal(store.feeds()[0]?.unreadable, 3, 'two blocks and a name');
  assert.equal(store.names(feed.id).size, 0);
});

test('a name that this machine gave cannot be taken by another one', (t) => {
  const store = freshStore(t);
  const [self, nas, hostile] = [new FakeFeed('self'), new FakeFeed('nas'), new FakeFeed('hostile')];
  store.ingest([
    hostile.message({ type: 'about', about: hostile.id, name: 'nas' }),
    nas.message({ type: 'about', about: nas.id, name: 'synology' }),
    self.message({ type: 'about', about: self.id, name: 'laptop' }),
    self.message({ type: 'about', about: nas.id, name: 'nas' }),
  ]);
  const names = new Map([
    [self.id, 'laptop'],
    [nas.id, 'nas'],
  ]);
  assert.deepEqual(store.names(self.id), names);
  store.ingest([hostile.message({ type: 'about', about: hostile.id, name: 'laptop' })]);
  assert.deepEqual(store.names(self.id), names);
  store.ingest([hostile.message({ type: 'about', about: hostile.id, name: 'other' })]);
  assert.deepEqual(store.names(self.id), names.set(hostile.id, 'other'));
});

test('a run has one record, in which its end keeps what only its start said', (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('a');
  const start = { type: 'log-run', run: 'r1', source: 'laptop', job: 'nightly', state: 'start', started: START_MS };
  const result = { exit: null, signal: 'SIGTERM', reason: 'timeout', lines: 7, levels: { err: 2 } };
  const end = { ...start, state: 'end', ended: START_MS + 5000, ...result };
  store.ingest([feed.message({ ...start, every: '24h', cron: '0 3 * * *', tz: 'Europe/Berlin', grace: '2h' })]);
  assert.deepEqual(
    [...store.runs()].map(({ state, every }) => [state, every]),
    [['start', '24h']],
  );
  store.ingest([
    feed.message(end),
    feed.message(start),
    feed.message({ ...start, run: 'r2', started: START_MS + 60_000 }),
  ]);
  const [second, first] = [...store.runs()];
  assert.equal(second?.run, 'r2');
  assert.deepEqual(first, {
    feed: feed.id,
    run: 'r1',
    source: 'laptop',
    destination: undefined,
    job: 'nightly',
    state: 'end',
    started: START_MS,
    ended: START_MS + 5000,
    ...result,
    ok: false,
    every: '24h',
    cron: '0 3 * * *',
    tz: 'Europe/Berlin',
    grace: '2h',
  });
  assert.deepEqual(
    [...store.runs({ since: START_MS + 1 })].map(({ run }) => run),
    ['r2'],
  );
});

test('a feed that is forgotten can be read again', (t) => {
  const store = freshStore(t);
  const [a, b] = [new FakeFeed('a'), new FakeFeed('b')];
  const messages = [
    a.message(block(1, ['a', 'b'])),
    a.message({ type: 'log-run', run: 'r', state: 'start', started: START_MS }),
    a.message({ type: 'contact', contact: b.id, following: true }),
    a.message({ type: 'about', about: a.id, name: 'a' }),
  ];
  store.ingest([b.message(log(1, 'stays')), ...messages]);
  const lastRow = store.lastRow();
  store.forgetFeed(a.id);
  store.forgetFeed('@unknown');
  assert.deepEqual(store.clock(), new Map([[b.id, 1]]));
  assert.deepEqual([store.lineCount(), store.runProgress(a.id, LABELS.run), store.contacts()], [1, 0, []]);
  assert.deepEqual([[...store.runs()], store.names(a.id), store.message(a.id, 1)], [[], new Map(), undefined]);
  store.ingest(messages);
  assert.equal(store.lineCount(), 3);
  assert.ok(store.lastRow() > lastRow, 'who follows by row ids meets none of them twice');
});

test('row ids do not repeat when the last feed is forgotten and the store opened again', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const messages = [feed.message(log(1, 'x')), feed.message(log(2, 'y'))];
  const store = openStore(file);
  store.ingest(messages);
  const lastRow = store.lastRow();
  store.forgetFeed(feed.id);
  store.close();
  const again = openStore(file);
  again.ingest(messages);
  assert.ok(again.lastRow() > lastRow);
  again.close();
});

test('what another process stored in the meantime is taken into account', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const [one, other] = [openStore(file), openStore(file)];
  one.ingest([feed.message(log(1, 'a'))]);
  other.ingest([feed.message(log(2, 'b'))]);
  one.ingest([feed.message(log(3, 'c'))]);
  other.ingest([feed.message(log(3, 'c')), feed.message(log(4, 'd'))]);
  assert.deepEqual([one.lineCount(), one.messageCount(), one.runProgress(feed.id, LABELS.run)], [4, 5, 4]);
  one.close();
  other.close();
});

test('a store that is open to be read takes nothing in', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  const reader = openStore(file, { readOnly: true });
  assert.throws(() => reader.ingest([new FakeFeed('a').message(log(1, 'x'))]), /read only/);
  assert.throws(() => reader.setMeta('key', 'value'));
  reader.close();
});
