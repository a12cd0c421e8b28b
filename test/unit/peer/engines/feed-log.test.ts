/** Feeds in the store: what is acknowledged is there, in order, and nobody hears of anything earlier. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SignedMessage } from '../../../../src/message/signed.ts';
import { FeedLog } from '../../../../src/peer/engines/sqlite/feed-log.ts';
import { openStore } from '../../../../src/store/open.ts';
import type { Store } from '../../../../src/store/store.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { add, freshRecord, newKeys, openRecord, publish } from './fixture.ts';

const ssbValidate = createRequire(import.meta.url)('ssb-validate') as {
  initial(): object;
  append(state: object, hmacKey: null, message: unknown): { queue: SignedMessage[] };
};

const line = (text: string) => ({ type: 'log', text });

test('what is published is a feed as SSB has it, with the ids that SSB gives', async (t) => {
  const record = freshRecord(t);
  const contents = [line('one'), line('ünïcödé ✓ \ud800'), { type: 'other', nested: { a: [1, null, true] } }];
  const published = await Promise.all(contents.map((content) => publish(record, content)));
  const state = ssbValidate.initial();
  for (const { value } of published) ssbValidate.append(state, null, value);
  const { queue } = state as { queue: SignedMessage[] };
  assert.deepEqual(
    queue.map(({ key }) => key),
    published.map(({ key }) => key),
  );
  assert.deepEqual(
    [...record.store.messages(record.keys.id, 0)],
    published.map(({ key, value, timestamp }) => ({ key, value: JSON.parse(JSON.stringify(value)), timestamp })),
  );
});

test('a feed goes on where it ended when the store was closed', async (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const keys = newKeys();
  const before = openRecord(t, file, keys);
  const first = await publish(before, line('one'));
  before.feeds.close();
  before.store.close();
  const second = await publish(openRecord(t, file, keys), line('two'));
  assert.equal(second.value.sequence, 2);
  assert.equal(second.value.previous, first.key);
});

test("timestamps never go back, and no two are the same, whatever the machine's clock does", async (t) => {
  const { store, keys } = freshRecord(t);
  const times = [1000, 1000, 900, 1000, 2000];
  const feeds = new FeedLog({ keys, store, now: () => times.shift() ?? 2000 });
  const record = { feeds, store, keys };
  const published = [];
  for (const text of ['a', 'b', 'c']) published.push(await publish(record, line(text)));
  const claimed = published.map(({ value }) => value.timestamp);
  assert.deepEqual(
    claimed,
    [...new Set(claimed)].sort((a, b) => a - b),
  );
  assert.ok((claimed[0] ?? 0) >= 900);
});

test('a message of another feed is checked, and those of one feed that come together are all taken', async (t) => {
  const there = freshRecord(t);
  const here = freshRecord(t);
  const messages = await Promise.all(['a', 'b', 'c'].map((text) => publish(there, line(text))));
  const added = await Promise.all(messages.map(({ value }) => add(here, value)));
  assert.deepEqual(
    added.map(({ key }) => key),
    messages.map(({ key }) => key),
  );
  assert.equal(here.store.clock().get(there.keys.id), 3);

  const next = await publish(there, line('d'));
  await assert.rejects(add(here, { ...next.value, content: line('forged') }), /invalid signature/);
  await assert.rejects(add(here, messages[0]?.value), /expected sequence 4 but got:1/);
  assert.equal(here.store.clock().get(there.keys.id), 3);
});

test('what is published in one turn is one transaction, and is told of in order, when it is stored', async (t) => {
  const keys = newKeys();
  const store = openStore(join(freshDirectory(t), 'store.db'));
  t.after(() => store.close());
  const batches: number[] = [];
  const counted: Store = {
    ...store,
    ingest: (messages) => {
      const result = store.ingest(messages);
      batches.push(result.messages);
      return result;
    },
  };
  const feeds = new FeedLog({ keys, store: counted });
  const told: string[] = [];
  feeds.post(({ value }) => {
    assert.equal(store.clock().get(keys.id), 3, 'all are stored before the first is told of');
    told.push(`post ${value.sequence}`);
  });
  const record = { feeds, store: counted, keys };
  await Promise.all(
    ['a', 'b', 'c'].map(async (text) => {
      const { value } = await publish(record, line(text));
      told.push(`done ${value.sequence}`);
    }),
  );
  assert.deepEqual(batches, [3]);
  assert.deepEqual(
    told.filter((what) => what.startsWith('post')),
    ['post 1', 'post 2', 'post 3'],
  );
  assert.deepEqual(
    told.filter((what) => what.startsWith('done')),
    ['done 1', 'done 2', 'done 3'],
  );
});

test('no more than some hundred messages wait for one transaction', async (t) => {
  const store = openStore(join(freshDirectory(t), 'store.db'));
  t.after(() => store.close());
  const batches: number[] = [];
  const counted: Store = {
    ...store,
    ingest: (messages) => {
      const result = store.ingest(messages);
      batches.push(result.messages);
      return result;
    },
  };
  const keys = newKeys();
  const record = { feeds: new FeedLog({ keys, store: counted }), store: counted, keys };
  await Promise.all(Array.from({ length: 1200 }, (_, index) => publish(record, line(String(index)))));
  assert.ok(Math.max(...batches) <= 768, String(batches));
  assert.equal(store.clock().get(keys.id), 1200);
});

test('when a transaction fails everything in it fails, and the feed goes on without a gap when there is room', async (t) => {
  const store = openStore(join(freshDirectory(t), 'store.db'));
  t.after(() => store.close());
  let isFull = false;
  const disk: Store = {
    ...store,
    ingest: (messages) => {
      if (isFull) throw new Error('no space left');
      return store.ingest(messages);
    },
  };
  const keys = newKeys();
  const record = { feeds: new FeedLog({ keys, store: disk }), store: disk, keys };
  const failures: unknown[] = [];
  record.feeds.onFailure((error) => failures.push(error));
  const posted: number[] = [];
  record.feeds.post(({ value }) => posted.push(value.sequence));
  await publish(record, line('before'));

  isFull = true;
  const results = await Promise.allSettled([publish(record, line('a')), publish(record, line('b'))]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await assert.rejects(record.feeds.publishAll([line('c'), line('d')]).durable, /no space left/);
  assert.equal(failures.length, 2);
  assert.equal(record.feeds.head(keys.id)?.sequence, 1);

  isFull = false;
  const after = await publish(record, line('after'));
  assert.equal(after.value.sequence, 2);
  assert.deepEqual(posted, [1, 2]);
});

test('contents that are published together are all published, or none', async (t) => {
  const record = freshRecord(t);
  const tooLong = line('x'.repeat(8200));
  assert.throws(() => record.feeds.publishAll([line('a'), tooLong]), /must not be larger than 8192 bytes/);
  await record.feeds.publishAll([line('b'), line('c')]).durable;
  const texts = [...record.store.messages(record.keys.id, 0)].map(
    ({ value }) => (value.content as { text: string }).text,
  );
  assert.deepEqual(texts, ['b', 'c']);
});

const REFUSED: readonly [what: string, content: unknown, error: RegExp][] = [
  ['a number', 42, /must be object or encrypted string/],
  ['a text that is not encrypted', 'hello', /must be object or encrypted string/],
  ['no type', { text: 'a' }, /type must be a string/],
  ['a type that is too short', { type: 'x' }, /type must be a string/],
  ['a type that is too long', { type: 'x'.repeat(53) }, /type must be a string/],
  ['more than a message holds', line('x'.repeat(8192)), /must not be larger than 8192 bytes/],
  // Without its signature it would just fit.
  ['more than a message holds with its signature', line('x'.repeat(7892)), /must not be larger than 8192 bytes/],
  ['a private message', { type: 'post', text: 'secret', recps: ['@x'] }, /no boxers could encrypt/],
];

for (const [what, content, error] of REFUSED) {
  test(`${what} is not published, and the feed goes on`, async (t) => {
    const record = freshRecord(t);
    await assert.rejects(publish(record, content), error);
    assert.equal((await publish(record, line('next'))).value.sequence, 1);
  });
}

test('a message as long as SSB allows is published, and SSB takes it', async (t) => {
  const record = freshRecord(t);
  const envelope = JSON.stringify((await publish(freshRecord(t), line(''))).value, null, 2).length;
  const { value } = await publish(record, line('x'.repeat(8192 - envelope - 4)));
  ssbValidate.append(ssbValidate.initial(), null, value);
});

test('after the end nothing is taken, and what was given before is stored', async (t) => {
  const record = freshRecord(t);
  const last = publish(record, line('last'));
  record.feeds.close();
  assert.equal((await last).value.sequence, 1);
  await assert.rejects(publish(record, line('late')), /ending/);
});

test('in its callback whoever published finds that all others have been told', async (t) => {
  const { feeds } = freshRecord(t);
  const told: string[] = [];
  feeds.post(({ value }) => told.push(`post ${value.sequence}`));
  await new Promise<void>((resolve) => {
    for (const text of ['a', 'b']) {
      feeds.publish(line(text), (_error, message) => {
        told.push(`done ${message?.value.sequence}`);
        if (message?.value.sequence === 2) resolve();
      });
    }
  });
  assert.deepEqual(told, ['post 1', 'done 1', 'post 2', 'done 2']);
});
