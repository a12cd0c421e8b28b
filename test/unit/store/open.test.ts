import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { SsblogError } from '../../../src/errors.ts';
import { encodeBlock } from '../../../src/message/block.ts';
import { StoreUnusable, type UnusableReason } from '../../../src/store/failures.ts';
import { openMirror, openStore } from '../../../src/store/open.ts';
import { FakeFeed, freshDirectory, log, START_MS } from './fake-feed.ts';

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}

function unusable(reason: UnusableReason): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreUnusable, String(error));
    assert.equal(error.code, 'store');
    assert.equal(error.reason, reason);
    assert.ok(error.hint, 'it says what to do');
    return true;
  };
}

function alter(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

test('a new store and its companions can be read by their owner only', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  store.setMeta('key', 'value');
  for (const suffix of ['', '-wal', '-shm']) assert.equal(mode(file + suffix), '600', suffix);
  store.close();
});

test('a store that was open to others is closed to them', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  chmodSync(file, 0o644);
  openStore(file).close();
  assert.equal(mode(file), '600');
});

test('what was stored is there when the store is opened again', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const store = openStore(file);
  store.ingest([feed.message(log(1, 'hello'))]);
  store.setMeta('key', 'value');
  store.close();
  store.close();
  const again = openStore(file);
  assert.deepEqual([again.lineCount(), again.meta('key'), again.meta('other')], [1, 'value', undefined]);
  again.close();
});

test('closing puts everything into the one file', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  store.setMeta('key', 'value');
  store.close();
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  const copy = openStore(file, { readOnly: true });
  assert.equal(copy.meta('key'), 'value');
  copy.close();
});

test('a reader sees what the writer commits while both are open, and is told of it', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const writer = openStore(file);
  const reader = openStore(file, { readOnly: true });
  const before = reader.dataVersion();
  assert.equal(reader.dataVersion(), before);
  writer.ingest([feed.message(log(1, 'hello'))]);
  assert.notEqual(reader.dataVersion(), before);
  assert.equal(reader.lineCount(), 1);
  reader.close();
  writer.close();
});

test('a reader needs a store', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  assert.throws(() => openStore(file, { readOnly: true }), unusable('missing'));
  assert.equal(existsSync(file), false, 'it makes none');
  writeFileSync(file, '');
  assert.throws(() => openStore(file, { readOnly: true }), unusable('missing'));
});

test('a file that is no database counts as damaged', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  writeFileSync(file, 'not a database '.repeat(1000));
  assert.throws(() => openStore(file, { readOnly: true }), unusable('damaged'));
  assert.throws(() => openStore(file), unusable('damaged'));
});

test('the database of another program counts as damaged and is not touched', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  alter(file, 'CREATE TABLE recipes (name)');
  assert.throws(() => openStore(file), unusable('damaged'));
  assert.throws(() => openStore(file, { readOnly: true }), unusable('damaged'));
});

test('a store without one of its tables counts as damaged', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  alter(file, 'DROP TABLE names');
  assert.throws(() => openStore(file, { readOnly: true }), unusable('damaged'));
});

test('a store of another version is told apart from a damaged one', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  alter(file, 'PRAGMA user_version = 1000');
  assert.throws(() => openStore(file, { readOnly: true }), unusable('version'));
  assert.throws(() => openStore(file), unusable('version'));
  alter(file, 'PRAGMA user_version = -1');
  assert.throws(() => openStore(file, { readOnly: true }), unusable('version'));
});

test('what an older version could not read is in the log after an update', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('newer');
  const lines = ['one', 'two', 'three'].map((text, index) => ({
    line: 1 + index,
    at: START_MS,
    bytes: Buffer.from(text),
    level: undefined,
    stream: undefined,
    more: false,
  }));
  const store = openStore(file);
  store.ingest([feed.message(encodeBlock({ run: 'r', source: 's' }, lines))]);
  store.close();
  // As the version before base32768 left it.
  alter(file, 'DELETE FROM labels; DELETE FROM runs; DELETE FROM series');
  alter(file, 'UPDATE feeds SET lines = 0, last_at = NULL, unreadable = 1; PRAGMA user_version = 9');
  const updated = openStore(file);
  const [known] = updated.feeds();
  assert.deepEqual([known?.lines, known?.unreadable], [3, 0]);
  updated.close();
});

test('a store that cannot be made is an error of the store', (t) => {
  const file = join(freshDirectory(t), 'no', 'such', 'directory', 'store.db');
  assert.throws(
    () => openMirror(file),
    (error) => error instanceof SsblogError && error.code === 'store',
  );
});

test('a mirror that is fine is left as it is', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const { store, rebuilt } = openMirror(file);
  assert.equal(rebuilt, true, 'there was none');
  store.setMeta('key', 'value');
  store.close();
  const again = openMirror(file);
  assert.deepEqual([again.rebuilt, again.reason, again.store.meta('key')], [false, undefined, 'value']);
  again.store.close();
});

const BROKEN: readonly { title: string; breakIt: (file: string) => void; reason: RegExp | undefined }[] = [
  { title: 'is missing', breakIt: (file) => rmSync(file), reason: undefined },
  { title: 'is empty', breakIt: (file) => writeFileSync(file, ''), reason: undefined },
  { title: 'is no database', breakIt: (file) => writeFileSync(file, 'x'.repeat(5000)), reason: /damaged/ },
  { title: 'lacks a table', breakIt: (file) => alter(file, 'DROP TABLE labels'), reason: /table labels/ },
  { title: 'is older', breakIt: (file) => alter(file, 'PRAGMA user_version = -1'), reason: /version -1/ },
  { title: 'is newer', breakIt: (file) => alter(file, 'PRAGMA user_version = 1000'), reason: /version 1000/ },
];

for (const { title, breakIt, reason } of BROKEN) {
  test(`a mirror that ${title} is made anew`, (t) => {
    const file = join(freshDirectory(t), 'store.db');
    const { store } = openMirror(file);
    store.setMeta('key', 'value');
    store.close();
    breakIt(file);
    const again = openMirror(file);
    assert.equal(again.rebuilt, true);
    if (reason === undefined) assert.equal(again.reason, undefined);
    else assert.match(again.reason ?? '', reason);
    assert.equal(again.store.meta('key'), undefined);
    again.store.close();
    assert.equal(openMirror(file).rebuilt, false);
  });
}

test('damage that is met while reading makes the next mirror a new one', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const feed = new FakeFeed('a');
  const { store } = openMirror(file);
  store.ingest(Array.from({ length: 2000 }, (_, index) => feed.message(log(index + 1, 'x'.repeat(100)))));
  store.close();
  // The header and the schema stay: only who reads on meets the damage.
  const bytes = readFileSync(file);
  bytes.fill(0xff, 100 * 1024, bytes.length);
  writeFileSync(file, bytes);

  const reader = openStore(file, { readOnly: true });
  assert.throws(() => [...reader.messages(feed.id, 0)], unusable('damaged'));
  reader.close();
  const again = openMirror(file);
  assert.equal(again.rebuilt, true);
  assert.match(again.reason ?? '', /damaged/);
  again.store.close();
  assert.equal(openMirror(file).rebuilt, false);
});

test('a reader notices that its store was made anew', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  const reader = openStore(file, { readOnly: true });
  assert.equal(reader.isReplaced(), false);
  alter(file, 'PRAGMA user_version = 1000');
  openMirror(file).store.close();
  assert.equal(reader.isReplaced(), true);
  reader.close();
});
