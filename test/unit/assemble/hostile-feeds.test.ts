/** Feeds made to keep readers busy: how long the combined log takes must not depend on how clever they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineFormat } from '../../../src/assemble/format.ts';
import { type LogLine, OpenLines, type ReadOptions, readLines } from '../../../src/assemble/lines.ts';
import { decodeBlock, encodeBlock } from '../../../src/message/block.ts';
import { RecordList } from '../../../src/message/record-list.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeFeed, freshStore, log, records, START_MS } from '../store/fake-feed.ts';

/** Many times what these logs take, and a small part of what they took; of the processor, for others may use it too. */
const PATIENCE_CPU_MS = 12_000;
const LOOK_EVERY_MS = 50;

async function read(store: Store, options: ReadOptions = {}): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const controller = new AbortController();
  const before = process.cpuUsage();
  const watch = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    if (user + system > PATIENCE_CPU_MS * 1_000) controller.abort(new Error('it takes too long'));
  }, LOOK_EVERY_MS);
  try {
    for await (const batch of readLines(store, {}, { ...options, signal: controller.signal })) lines.push(...batch);
  } finally {
    clearInterval(watch);
  }
  return lines;
}

/** Small messages that unpack to a megabyte each, and whose records take turns. */
function takingTurns(store: Store): { blocks: number; lines: number } {
  const feed = new FakeFeed('hostile');
  const blocks = 40;
  const lines = 2000;
  const bytes = Buffer.alloc(500, 'x');
  for (let index = 0; index < blocks; index += 1) {
    const turns = Array.from({ length: lines }, (_, turn) => ({ bytes, at: START_MS + index + blocks * turn }));
    const labels = { run: `run-${String(index).padStart(2, '0')}`, source: 's' };
    store.ingest([feed.message(encodeBlock(labels, records(1, turns)))]);
  }
  return { blocks, lines };
}

for (const options of [{}, { reverse: true }, { limit: 50_000 }]) {
  test(`blocks that take turns line by line are read in time (${JSON.stringify(options)})`, async (t) => {
    const store = freshStore(t);
    const { blocks, lines } = takingTurns(store);
    const times = (await read(store, options)).map(({ at }) => at - START_MS);
    const all = Array.from({ length: blocks * lines }, (_, index) => index);
    assert.deepEqual(times, 'reverse' in options ? all.reverse() : all.slice(-(options.limit ?? all.length)));
  });
}

test('very many lines whose end never comes are read in time', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('hostile');
  const runs = 10_000;
  const messages = Array.from({ length: runs }, (_, index) =>
    feed.message(log(1, { bytes: Buffer.from(String(index)), at: START_MS + index, more: true }, labelsOf(index))),
  );
  // The end of the last line is the last row of all: whoever looked for it from row to row would pass all others.
  const ends = Array.from({ length: runs }, (_, index) =>
    feed.message(log(2, { bytes: Buffer.from('.'), at: START_MS + runs }, labelsOf(index))),
  );
  store.ingest([...messages, ...ends.slice(0, runs / 2)]);
  const texts = (await read(store)).map(({ bytes }) => bytes.toString());
  assert.deepEqual(
    texts,
    Array.from({ length: runs }, (_, index) => (index < runs / 2 ? `${index}.` : String(index))),
  );
});

test('a line without an end takes no more memory the longer it gets, however it is read', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('hostile');
  const piece = Buffer.alloc(1_000_000, 'x');
  const pieces = 260;
  for (let line = 1; line <= pieces; line += 1)
    store.ingest([feed.message(encodeBlock(labelsOf(0), records(line, [{ bytes: piece, at: START_MS, more: true }])))]);
  for (const options of [{}, { reverse: true }, { openLines: new OpenLines() }]) {
    let bytes = 0;
    let most = 0;
    for await (const batch of readLines(store, {}, options)) {
      const size = [...batch].reduce((sum, line) => sum + line.bytes.length, 0);
      most = Math.max(most, size);
      bytes += size;
    }
    for (const line of options.openLines?.takeAll() ?? []) bytes += line.bytes.length;
    assert.equal(bytes, pieces * piece.length);
    assert.ok(most < 100_000_000, `${most} bytes at once`);
  }
});

test('who follows holds few lines that wait for their end, and of each machine its own', async (t) => {
  const store = freshStore(t);
  const hostile = new FakeFeed('hostile');
  const victim = new FakeFeed('victim');
  const openLines = new OpenLines();
  const bytes = Buffer.alloc(300_000, 'x');
  store.ingest([victim.message(log(1, { bytes: Buffer.from('begun, '), at: START_MS, more: true }, labelsOf(0)))]);
  const runs = 500;
  for (let index = 0; index < runs; index += 1) {
    const opened = records(1, [
      { bytes, at: START_MS + 1 },
      { bytes: Buffer.concat([bytes, bytes]), more: true },
    ]);
    store.ingest([hostile.message(encodeBlock(labelsOf(index), opened))]);
  }
  const shown = await read(store, { openLines });
  assert.ok(!shown.some(({ feed }) => feed === victim.id), 'the other machine has the patience that it always had');
  const held = openLines.takeAll();
  assert.equal(held.filter(({ feed }) => feed === victim.id).length, 1);
  const heldBytes = held.reduce((sum, line) => sum + line.bytes.length, 0);
  assert.ok(heldBytes < 70_000_000, `${heldBytes} bytes were held`);
  const all = [...shown, ...held].filter(({ feed }) => feed === hostile.id);
  assert.equal(
    all.reduce((sum, line) => sum + line.bytes.length, 0),
    runs * 3 * bytes.length,
    'nothing is lost',
  );
});

function labelsOf(index: number) {
  return { run: `run-${index}`, source: 's' };
}

test('texts that are nothing but newlines come in small batches', async (t) => {
  const store = freshStore(t);
  const feed = new FakeFeed('hostile');
  const label = 's'.repeat(200);
  const message = () =>
    feed.message({ type: 'log', source: label, destination: label, at: START_MS, text: '\n'.repeat(3000) });
  store.ingest(Array.from({ length: 200 }, message));
  const { format } = lineFormat({ utc: true });
  let most = 0;
  let lines = 0;
  for await (const batch of readLines(store, {})) {
    const bytes = format(batch);
    most = Math.max(most, bytes.length);
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  }
  assert.equal(lines, 200 * 3000);
  assert.ok(most < 10_000_000, `${most} bytes at once`);
});

test('the memory of a list has all that it holds', () => {
  const list = RecordList.of(
    Array.from({ length: 10_000 }, (_, index) => ({
      line: index + 1,
      at: index,
      bytes: Buffer.alloc(0),
      level: undefined,
      stream: undefined,
      more: true,
    })),
  );
  assert.ok(list.memory > 10_000 * (1 + 6 + 16 + 8), `${list.memory}`);
  const small = decodeBlock(encodeBlock({ run: 'r', source: 's' }, records(1, ['a', 'b'])));
  assert.ok(small.memory < 10_000, `${small.memory}`);
});
