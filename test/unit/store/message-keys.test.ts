/** A message is found by its key, whether its key is in the index yet or not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeFeed, freshDirectory } from './fake-feed.ts';

/** More than twice what is looked through. */
const MANY = 20_000;
const SOME = [0, 1, 8190, 8191, 8192, 8193, 16_383, 16_384, MANY - 2, MANY - 1];

function messagesOf(feed: FakeFeed, count: number): SignedMessage[] {
  return Array.from({ length: count }, (_, index) => feed.message({ type: 'log', text: String(index) }));
}

function ingestAll(store: Store, messages: readonly SignedMessage[]): void {
  for (let start = 0; start < messages.length; start += 500) store.ingest(messages.slice(start, start + 500));
}

function assertFound(store: Store, messages: readonly SignedMessage[], what: string): void {
  for (const index of SOME) {
    const { key, value } = messages[index] as SignedMessage;
    assert.deepEqual(store.log.byKey(key)?.value, value, `${what}: message ${index}`);
  }
  assert.equal(store.log.byKey(`%${'x'.repeat(43)}=.sha256`), undefined);
}

function entered(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const row = db.prepare('SELECT count(*) AS n FROM message_keys').get() as { n: number };
  db.close();
  return row.n;
}

test('keys enter the index some thousands at a time, and all are found', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const messages = messagesOf(new FakeFeed('a'), MANY);
  const store = openStore(file);
  ingestAll(store, messages);
  assertFound(store, messages, 'as they came');
  assert.ok(entered(file) > MANY / 2 && entered(file) < MANY, `${entered(file)} are in the index`);
  store.close();
  const reader = openStore(file, { readOnly: true });
  assertFound(reader, messages, 'by who only reads');
  reader.close();
});

test('what came after a feed was forgotten is found too, though it has numbers of forgotten messages', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const [before, after] = [messagesOf(new FakeFeed('a'), MANY), messagesOf(new FakeFeed('b'), MANY)];
  const store = openStore(file);
  ingestAll(store, before);
  store.forgetFeed(before[0]?.value.author ?? '');
  assert.equal(store.log.byKey(before[0]?.key ?? ''), undefined);
  ingestAll(store, after);
  assertFound(store, after, 'of the other feed');
  store.close();
});

test('a transaction that fails leaves the index as it was', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const messages = messagesOf(new FakeFeed('a'), MANY);
  const store = openStore(file);
  ingestAll(store, messages.slice(0, 8000));
  const gap = [...messages.slice(8000, 9000), ...messages.slice(9001, 9002)];
  assert.throws(() => store.ingest(gap), /came after message/);
  ingestAll(store, messages.slice(8000));
  assertFound(store, messages, 'after it');
  store.close();
});
