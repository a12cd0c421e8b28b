/** What is saved of a damaged store: of each feed the messages up to the first that is not as it was signed. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { salvageMessages } from '../../../src/doctor/salvage.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { verifyStore } from '../../../src/peer/engines/sqlite/verify.ts';
import { openStore } from '../../../src/store/open.ts';
import { cutOff, overwrite, PAGE_BYTES, pagesOf, sql } from '../../helpers/damage.ts';
import { add, freshRecord, openRecord, publish } from '../peer/engines/fixture.ts';
import { freshDirectory } from '../store/fake-feed.ts';

const MESSAGES = 700;

/** A closed store with two feeds in turns, long messages among them. */
async function damaged(t: TestContext, damage: (file: string) => void) {
  const file = join(freshDirectory(t), 'store.db');
  const [own, other] = [openRecord(t, file, freshRecord(t).keys), freshRecord(t)];
  const feeds: Record<'own' | 'other', SignedMessage[]> = { own: [], other: [] };
  for (let n = 0; n < MESSAGES; n += 50) {
    const texts = Array.from({ length: 50 }, (_, index) => `line ${n + index} ${'é'.repeat((n + index) * 5)}`);
    const contents = texts.map((text) => ({ type: 'log', text }));
    feeds.own.push(...(await Promise.all(contents.map((content) => publish(own, content)))));
    const theirs = await Promise.all(contents.map((content) => publish(other, content)));
    feeds.other.push(...(await Promise.all(theirs.map(({ value }) => add(own, value)))));
  }
  own.feeds.close();
  own.store.close();
  damage(file);
  return { file, feeds, ids: { own: own.keys.id, other: other.keys.id } };
}

async function saved(t: TestContext, file: string) {
  const target = join(dirname(file), 'target.db');
  const progress = new Set<string>();
  const result = await salvageMessages(file, target, {
    signal: new AbortController().signal,
    onProgress: (work) => progress.add(work),
  });
  const store = openStore(target);
  t.after(() => store.close());
  const { signal } = new AbortController();
  assert.deepEqual(await verifyStore(store, { verified: new Map(), onStep: () => undefined, signal }), []);
  assert.deepEqual(store.problems(true), []);
  const steps = store.compare();
  let step = steps.next();
  while (!step.done) step = steps.next();
  assert.deepEqual(step.value, []);
  assert.deepEqual(store.clock(), result.feeds);
  return { ...result, messages: (feed: string) => [...store.messages(feed, 0)], progress };
}

test('of a store that is whole everything is saved', async (t) => {
  const { file, feeds, ids } = await damaged(t, () => undefined);
  const all = await saved(t, file);
  assert.deepEqual([all.messages(ids.own), all.messages(ids.other)], [feeds.own, feeds.other]);
  assert.equal(all.lost, 0);
  assert.ok(all.progress.has('saving'));
});

test('a feed goes on up to what is missing; the other one is not touched by that', async (t) => {
  const { file, feeds, ids } = await damaged(t, (path) =>
    sql(
      path,
      `UPDATE messages SET value = replace(value, 'line 300 ', 'line 999 ')
       WHERE feed = (SELECT feed FROM messages WHERE id = (SELECT min(id) FROM messages WHERE feed <> 1)) AND sequence = 301`,
    ),
  );
  const { messages, lost } = await saved(t, file);
  assert.deepEqual(messages(ids.own), feeds.own);
  assert.deepEqual(messages(ids.other), feeds.other.slice(0, 300));
  assert.equal(lost, MESSAGES - 300);
});

test('pages that are gone cost what was on them, and what came after it in the same feed', async (t) => {
  const { file, feeds, ids } = await damaged(t, (path) => {
    const pages = pagesOf(path, 'messages');
    overwrite(path, Buffer.alloc(PAGE_BYTES), ((pages[Math.floor(pages.length / 2)] as number) - 1) * PAGE_BYTES);
    overwrite(path, Buffer.alloc(PAGE_BYTES), 0); // and SQLite would not even open it
  });
  const { messages } = await saved(t, file);
  const counts = [ids.own, ids.other].map((id) => messages(id).length);
  assert.deepEqual(messages(ids.own), feeds.own.slice(0, counts[0]));
  assert.deepEqual(messages(ids.other), feeds.other.slice(0, counts[1]));
  assert.ok(Math.min(...counts) < MESSAGES && Math.max(...counts) > MESSAGES / 4, counts.join());
});

test('a message that was there twice, on a page that is no longer used, is saved once', async (t) => {
  const { file, feeds, ids } = await damaged(t, (path) =>
    sql(
      path,
      `CREATE TABLE copy AS SELECT id + 5000 AS id, feed, sequence, key, received, value FROM messages WHERE sequence < 100;
       CREATE TABLE twice (id INTEGER PRIMARY KEY, feed, sequence, key, received, value);
       INSERT INTO twice SELECT * FROM copy; DROP TABLE copy; DROP TABLE twice`,
    ),
  );
  const { messages } = await saved(t, file);
  assert.deepEqual([messages(ids.own), messages(ids.other)], [feeds.own, feeds.other]);
});

test('one that is interrupted leaves the damaged file as it was, and nothing beside it', async (t) => {
  const { file } = await damaged(t, (path) => cutOff(path, 0.8));
  copyFileSync(file, `${file}.copy`);
  const before = readdirSync(dirname(file));
  const interrupt = new AbortController();
  const target = join(dirname(file), 'target.db');
  const options = { signal: interrupt.signal, onProgress: () => interrupt.abort() };
  await assert.rejects(salvageMessages(file, target, options), { name: 'AbortError' });
  assert.equal(existsSync(target), false);
  assert.deepEqual(readdirSync(dirname(file)), before);
  assert.ok(readFileSync(file).equals(readFileSync(`${file}.copy`)));
});
