/** Messages are found in the pages of a store, without SQLite, whatever is damaged around them. */
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { openStore } from '../../../../src/store/open.ts';
import { type FoundMessage, scanMessages } from '../../../../src/store/raw/messages.ts';
import { FakeFeed, freshDirectory } from '../fake-feed.ts';

const PAGE = 2048;
/** Of stores that older versions made. */
const OLDER_PAGE = 4096;
/** Of every length up to more than two overflow pages, with characters of one to four bytes. */
const TEXTS = Array.from({ length: 900 }, (_, index) => 'aß€😀'.repeat(Math.floor((index * index) / 500)));

/** @param isOpen the store is not closed: all that it holds is in the WAL */
function filled(t: TestContext, { isOpen = false } = {}) {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  const feed = new FakeFeed('a');
  const messages = TEXTS.map((text, index) => feed.message({ type: 'log', text }, 1000 + index));
  for (let start = 0; start < messages.length; start += 50) store.ingest(messages.slice(start, start + 50));
  if (isOpen) t.after(() => store.close());
  else store.close();
  return { file, messages };
}

function found(file: string): FoundMessage[] {
  const scan = scanMessages(file);
  const all = [...scan.all()].filter((message) => message !== undefined);
  for (const message of all) assert.deepEqual(scan.at(message.place), message);
  scan.close();
  return all.sort((a, b) => a.row - b.row);
}

function overwrite(file: string, bytes: Buffer, at: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** @returns a copy of the store, with pages of this size */
function copyWithPages(file: string, pageBytes: number): string {
  const copy = `${file}.copy`;
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA page_size = ${pageBytes}; VACUUM INTO '${copy}'`);
  db.close();
  return copy;
}

function pageBytesOf(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const row = db.prepare('PRAGMA page_size').get() as { page_size: number };
  db.close();
  return row.page_size;
}

const bare = ({ key, value, timestamp }: FoundMessage) => ({ key, value, timestamp });

test('all messages of an undamaged store are found, in their order', (t) => {
  const { file, messages } = filled(t);
  assert.deepEqual(found(file).map(bare), messages);
});

test('what is only in the WAL is found, up to the last whole transaction', (t) => {
  const { file, messages } = filled(t, { isOpen: true });
  const copy = join(freshDirectory(t), 'copy.db');
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix);
  assert.ok(statSync(`${copy}-wal`).size > 100 * PAGE);
  assert.deepEqual(found(copy).map(bare), messages);
  truncateSync(`${copy}-wal`, statSync(`${copy}-wal`).size - PAGE);
  assert.deepEqual(found(copy).map(bare), messages.slice(0, -50));
  // In the midst: the first pages are the tables being made.
  overwrite(`${copy}-wal`, Buffer.from('damage'), Math.floor(statSync(`${copy}-wal`).size / 2));
  const rest = found(copy).length;
  assert.ok(rest > 0 && rest < 850 && rest % 50 === 0, `${rest} messages are left`);
});

for (const pageBytes of [PAGE, OLDER_PAGE]) {
  test(`a store without its first pages of ${pageBytes} bytes still gives the messages of all others`, (t) => {
    const { file: filledFile, messages } = filled(t);
    assert.equal(pageBytesOf(filledFile), PAGE);
    const file = copyWithPages(filledFile, pageBytes);
    assert.equal(pageBytesOf(file), pageBytes);
    overwrite(file, Buffer.alloc(3 * pageBytes), 0);
    const left = found(file).map(bare);
    assert.ok(left.length > messages.length / 2);
    const keys = new Set(messages.map(({ key }) => key));
    assert.ok(left.every(({ key }) => keys.has(key)));
  });
}

test('random damage anywhere is survived', (t) => {
  const { file, messages } = filled(t);
  const { size } = statSync(file);
  let state = 1;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647; // the same in every run
    return state % below;
  };
  for (let hit = 0; hit < 300; hit++) overwrite(file, Buffer.from([random(256)]), random(size));
  const left = found(file);
  assert.ok(left.length > messages.length / 3 && left.length <= messages.length, `${left.length} are left`);
});

test('a file that is cut off gives what is left, an empty one nothing', (t) => {
  const { file } = filled(t);
  truncateSync(file, Math.floor(statSync(file).size / 2) + 100);
  assert.ok(found(file).length > 100);
  truncateSync(file, 0);
  const before = readdirSync(dirname(file));
  assert.deepEqual(found(file), []);
  assert.deepEqual(readdirSync(dirname(file)), before, 'nothing is made');
});
