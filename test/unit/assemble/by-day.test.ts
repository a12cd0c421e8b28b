import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, type TestContext, test } from 'node:test';
import { assembleByDay, type ByDayOptions } from '../../../src/assemble/by-day.ts';
import type { LogFilter } from '../../../src/assemble/lines.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { block, FakeFeed, freshDirectory, freshStore, LABELS, log } from '../store/fake-feed.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

function setup(t: TestContext) {
  const directory = freshDirectory(t);
  const dir = join(directory, 'days');
  const options = { format: { utc: true }, memory: { dir: join(directory, 'memory') } };
  const store = freshStore(t);
  const feed = new FakeFeed('nas');
  const line = (at: string, text: string): SignedMessage =>
    feed.message(log(1, { at: Date.parse(at), bytes: Buffer.from(text) }, { ...LABELS, run: `run ${feed.sequence}` }));
  return {
    dir,
    store,
    line,
    /** Lines of days: `2026-11-22T03:00` and so on; the text is the same. */
    arrive: (...times: string[]) => store.ingest(times.map((time) => line(`${time}Z`, time))),
    assemble: (more: Partial<ByDayOptions> = {}, filter: LogFilter = {}) =>
      assembleByDay(store, filter, dir, { ...options, ...more }),
    names: () => readdirSync(dir).sort(),
    text: (name: string) => readFileSync(join(dir, name), 'utf8'),
    inodes: () => Object.fromEntries(readdirSync(dir).map((name) => [name, statSync(join(dir, name)).ino])),
  };
}

test('each day is a file that only its owner can read, in a directory of his', async (t) => {
  const { dir, arrive, assemble, names, text } = setup(t);
  arrive('2026-11-22T23:59', '2026-11-23T00:00', '2026-11-22T00:00', '1970-01-01T00:00');
  const { days, lines, written, ms } = await assemble();
  assert.deepEqual([days, lines, written, typeof ms], [3, 4, 3, 'number']);
  assert.deepEqual(names(), ['1970-01-01.log', '2026-11-22.log', '2026-11-23.log']);
  assert.equal(
    text('2026-11-22.log'),
    '2026-11-22 00:00:00 [laptop] -> [nas] 2026-11-22T00:00\n2026-11-22 23:59:00 [laptop] -> [nas] 2026-11-22T23:59\n',
  );
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of names()) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
});

test('only days with new lines are written: appended to, or anew', async (t) => {
  const { arrive, assemble, inodes, text } = setup(t);
  arrive('2026-11-20T10:00', '2026-11-21T10:00', '2026-11-22T10:00');
  await assemble();
  const before = inodes();
  arrive('2026-11-22T11:00', '2026-11-21T09:00', '2026-11-23T00:00');
  const { days, lines, written } = await assemble();
  assert.deepEqual([days, lines, written], [4, 6, 3]);
  const after = inodes();
  assert.equal(after['2026-11-20.log'], before['2026-11-20.log'], 'left alone');
  assert.notEqual(after['2026-11-21.log'], before['2026-11-21.log'], 'written anew');
  assert.equal(after['2026-11-22.log'], before['2026-11-22.log'], 'appended to');
  assert.match(text('2026-11-21.log'), /09:00\n.*10:00\n$/);
  assert.match(text('2026-11-22.log'), /10:00\n.*11:00\n$/);
  assert.equal((await assemble()).written, 0);
});

test('days are those of local time, or of UTC', async (t) => {
  process.env.TZ = 'America/New_York';
  const { arrive, assemble, names } = setup(t);
  arrive('2026-11-22T04:59', '2026-11-22T05:00');
  await assemble();
  assert.deepEqual(names(), ['2026-11-22.log']);
  await assemble({ format: { utc: false } });
  assert.deepEqual(names(), ['2026-11-21.log', '2026-11-22.log']);
});

test('each form has files of its own, side by side', async (t) => {
  const { arrive, assemble, names, text, inodes } = setup(t);
  arrive('2026-11-22T10:00');
  for (const output of ['text', 'json', 'csv'] as const) await assemble({ format: { output, utc: true } });
  assert.deepEqual(names(), ['2026-11-22.csv', '2026-11-22.jsonl', '2026-11-22.log']);
  assert.match(text('2026-11-22.csv'), /^at,source,.*\r\n.*\r\n$/);
  assert.equal((JSON.parse(text('2026-11-22.jsonl')) as { text: string }).text, '2026-11-22T10:00');
  const before = inodes();
  arrive('2026-11-22T11:00');
  for (const output of ['text', 'json', 'csv'] as const) await assemble({ format: { output, utc: true } });
  assert.deepEqual(inodes(), before, 'all were appended to');
  assert.match(text('2026-11-22.csv'), /^at,source,.*\r\n.*\r\n.*\r\n$/);
});

test('days of another filter go away, but not what somebody made of them', async (t) => {
  const { dir, arrive, assemble, names, text } = setup(t);
  arrive('2026-11-20T10:00', '2026-11-21T10:00', '2026-11-22T10:00');
  await assemble();
  appendFileSync(join(dir, '2026-11-21.log'), 'a note of mine\n');
  const { days, lines, written } = await assemble({}, { grep: [/-22T/] });
  assert.deepEqual([days, lines, written], [1, 1, 1]);
  assert.deepEqual(names(), ['2026-11-21.log', '2026-11-22.log']);
  assert.match(text('2026-11-21.log'), /a note of mine\n$/);
});

test('a day that somebody changed or deleted is written whole', async (t) => {
  const { dir, arrive, assemble, text } = setup(t);
  arrive('2026-11-20T10:00', '2026-11-21T10:00');
  await assemble();
  const right = text('2026-11-20.log');
  for (const change of [
    () => appendFileSync(join(dir, '2026-11-20.log'), 'x'),
    () => rmSync(join(dir, '2026-11-20.log')),
    () => {
      rmSync(join(dir, '2026-11-20.log'));
      symlinkSync(join(dir, '2026-11-21.log'), join(dir, '2026-11-20.log'));
    },
  ]) {
    change();
    assert.equal((await assemble()).written, 1);
    assert.equal(text('2026-11-20.log'), right);
  }
  assert.match(text('2026-11-21.log'), /11-21T10:00/);
});

test("others' files are left alone, and named when they are in the way", async (t) => {
  const { dir, arrive, assemble, names, text } = setup(t);
  mkdirSync(dir, { mode: 0o755 });
  for (const name of ['2026-11-21.log', '2026-11-22.log', 'letter.txt', '2026-11-20.log.gz'])
    writeFileSync(join(dir, name), 'mine');
  arrive('2026-11-20T10:00', '2026-11-22T10:00', '2026-11-23T10:00');
  for (const _ of ['first', 'again']) {
    await assert.rejects(assemble(), { code: 'exists', message: /2026-11-22\.log is in the way/ });
    assert.equal(text('2026-11-22.log'), 'mine');
  }
  rmSync(join(dir, '2026-11-22.log'));
  assert.equal((await assemble()).days, 3);
  assert.deepEqual(names().length, 6);
  for (const name of ['2026-11-21.log', 'letter.txt', '2026-11-20.log.gz']) assert.equal(text(name), 'mine');
  assert.equal(statSync(dir).mode & 0o777, 0o755, "the directory is its owner's");

  arrive('2026-11-21T10:00');
  await assert.rejects(assemble(), { code: 'exists', message: /2026-11-21\.log/ });
  assert.equal(text('2026-11-21.log'), 'mine');
});

test('a call that did not come to its end knows its files again', async (t) => {
  const { arrive, assemble, names, text } = setup(t);
  arrive('2026-11-20T10:00', '2026-11-21T10:00', '2026-11-22T10:00');
  const controller = new AbortController();
  const onProgress = (lines: number) => {
    if (lines === 2) controller.abort(new Error('killed'));
  };
  await assert.rejects(assemble({ read: { signal: controller.signal }, onProgress }), /killed/);
  assert.ok(names().length < 3, 'not all is done');
  assert.ok(names().includes('2026-11-20.log'));
  arrive('2026-11-20T09:00');
  const { days, lines } = await assemble();
  assert.deepEqual([days, lines], [3, 4]);
  assert.match(text('2026-11-20.log'), /09:00\n.*10:00\n$/);
  assert.deepEqual(names(), ['2026-11-20.log', '2026-11-21.log', '2026-11-22.log']);
});

test('a machine whose clock is ahead does not make the present be written anew', async (t) => {
  const { arrive, assemble, inodes } = setup(t);
  arrive('2026-11-22T10:00', '2031-01-01T00:00');
  await assemble();
  const before = inodes();
  arrive('2026-11-22T10:01');
  assert.equal((await assemble()).written, 1);
  assert.deepEqual(inodes(), before);
});

test('lines of very many days do not fill the disk with files', async (t) => {
  const { arrive, assemble, names } = setup(t);
  arrive('2026-11-20T10:00', '2026-11-21T10:00', '2026-11-21T11:00', '1970-01-01T00:00');
  await assert.rejects(assemble({ maxDays: 2 }), { code: 'usage', message: /more than 2 days/ });
  assert.equal(names().length, 2);
  assert.equal((await assemble({ maxDays: 2 }, { since: Date.parse('2026-11-20') })).lines, 3);
  assert.deepEqual(names(), ['2026-11-20.log', '2026-11-21.log'], 'what the other call had added is gone');
});

test('a directory that cannot be one is refused', async (t) => {
  const { dir, store } = setup(t);
  const memory = { dir: `${dir}-memory` };
  writeFileSync(dir, 'a file');
  await assert.rejects(assembleByDay(store, {}, dir, { memory }), { code: 'usage', message: /is not a directory/ });
  const deep = join(`${dir}-missing`, 'deep');
  await assert.rejects(assembleByDay(store, {}, deep, { memory }), { code: 'io', message: /missing/ });
});

test('a line that goes on is a matter of its own day only', async (t) => {
  const { store, assemble, text } = setup(t);
  const feed = new FakeFeed('long');
  const at = Date.parse('2026-11-21T23:59:59Z');
  const piece = (line: number, afterMs: number, bytes: string, rest: Partial<LogRecord>) => ({
    ...{ line, at: at + afterMs, bytes: Buffer.from(bytes), more: false, ...rest },
  });
  const messages = [
    [piece(1, 0, 'long ', { more: true, stream: 'stdout' }), piece(2, 60_000, 'next day', { stream: 'stderr' })],
    [piece(3, 60_000, 'line', { more: true, stream: 'stdout' })],
    [piece(4, 60_000, '.', { stream: 'stdout' }), piece(5, 60_000, 'later', { stream: 'stdout' })],
  ].map((pieces) => feed.message(block(pieces[0]?.line ?? 0, pieces)));
  const written: number[] = [];
  for (const message of messages) {
    store.ingest([message]);
    written.push((await assemble()).written);
  }
  assert.deepEqual(written, [2, 1, 2]);
  assert.match(text('2026-11-21.log'), /^.* long line\.\n$/);
  assert.match(text('2026-11-22.log'), /^.* next day\n.* later\n$/);
});

test('a line that a filter lets through only when it has gone on makes its day, or changes it', async (t) => {
  const { store, arrive, assemble, names, text } = setup(t);
  const feed = new FakeFeed('long');
  const at = Date.parse('2026-11-21T12:00:00Z');
  const piece = (run: string, line: number, bytes: string, more: boolean) =>
    feed.message(log(line, { at, bytes: Buffer.from(bytes), more }, { ...LABELS, run }));
  const filter = { grep: [/whole/] };
  arrive('2026-11-20T10:00');
  await assemble({}, filter);
  store.ingest([piece('a', 1, 'not yet ', true), piece('b', 1, 'never ', true)]);
  assert.deepEqual([(await assemble({}, filter)).written, names()], [0, []]);
  store.ingest([piece('a', 2, 'nor now ', true), piece('b', 2, 'so', false)]);
  assert.deepEqual([(await assemble({}, filter)).written, names()], [0, []]);
  store.ingest([piece('a', 3, 'whole', false)]);
  assert.equal((await assemble({}, filter)).written, 1);
  assert.match(text('2026-11-21.log'), /^.* not yet nor now whole\n$/);

  store.ingest([piece('c', 1, 'the second ', true)]);
  assert.equal((await assemble({}, filter)).written, 0);
  store.ingest([piece('c', 2, 'is whole', false)]);
  assert.equal((await assemble({}, filter)).written, 1);
  assert.match(text('2026-11-21.log'), /^.* now whole\n.* the second is whole\n$/);
});

test('lines of two streams that go on are a matter of the day of each', async (t) => {
  const { store, assemble, names } = setup(t);
  const feed = new FakeFeed('long');
  const piece = (line: number, at: string, bytes: string, stream: 'stdout' | 'stderr', more: boolean) => ({
    ...{ line, at: Date.parse(at), bytes: Buffer.from(bytes), stream, more },
  });
  const filter = { grep: [/whole/] };
  store.ingest([
    feed.message(
      block(1, [
        piece(1, '2026-11-21T12:00Z', 'out ', 'stdout', true),
        piece(2, '2026-11-22T12:00Z', 'err ', 'stderr', true),
      ]),
    ),
  ]);
  await assemble({}, filter);
  store.ingest([
    feed.message(
      block(3, [
        piece(3, '2026-11-23T12:00Z', 'whole', 'stdout', false),
        piece(4, '2026-11-23T12:00Z', 'whole', 'stderr', false),
      ]),
    ),
  ]);
  await assemble({}, filter);
  assert.deepEqual(names(), ['2026-11-21.log', '2026-11-22.log']);
});

test('of very many lines that may go on nothing is lost', async (t) => {
  const { store, assemble, text } = setup(t);
  const feed = new FakeFeed('long');
  const at = Date.parse('2026-11-21T12:00:00Z');
  const runs = Array.from({ length: 1_010 }, (_, index) => `run ${index}`);
  const piece = (run: string, line: number, bytes: string, more: boolean) =>
    feed.message(log(line, { at, bytes: Buffer.from(bytes), more }, { ...LABELS, run }));
  const filter = { grep: [/whole/] };
  store.ingest(runs.map((run) => piece(run, 1, 'not yet ', true)));
  await assemble({}, filter);
  store.ingest(runs.slice(-2).map((run) => piece(run, 2, 'whole', false)));
  assert.deepEqual([(await assemble({}, filter)).lines, text('2026-11-21.log').match(/whole/g)?.length], [2, 2]);
});
