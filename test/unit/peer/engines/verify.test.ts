/** Every message of a store is looked at: signatures, ids, order. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { verifyStore } from '../../../../src/peer/engines/sqlite/verify.ts';
import { openStore } from '../../../../src/store/open.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { newKeys, openRecord, publish } from './fixture.ts';

const MESSAGES = 1200;

/** A store with one feed, after `sql` was done to it. */
async function tampered(t: TestContext, sql: string) {
  const file = join(freshDirectory(t), 'store.db');
  const record = openRecord(t, file, newKeys());
  await Promise.all(Array.from({ length: MESSAGES }, (_, n) => publish(record, { type: 'log', text: `line ${n}` })));
  record.feeds.close();
  record.store.close();
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
  const store = openStore(file);
  t.after(() => store.close());
  return { store, feed: record.keys.id };
}

const verify = (store: Parameters<typeof verifyStore>[0], verified = new Map<string, number>()) =>
  verifyStore(store, { verified, onStep: () => undefined, signal: new AbortController().signal });

test('a store as it was written has no problem', async (t) => {
  const { store, feed } = await tampered(t, '');
  const verified = new Map<string, number>();
  assert.deepEqual(await verify(store, verified), []);
  assert.deepEqual([...verified], [[feed, MESSAGES]]);
});

const DAMAGE: readonly [what: string, sql: string, sequence: number, reason: RegExp][] = [
  [
    'a text',
    `UPDATE messages SET value = replace(value, 'line 6', 'line 7') WHERE sequence = 7`,
    7,
    /invalid signature/,
  ],
  ['an id', `UPDATE messages SET key = '%' || substr(key, 3) || 'A' WHERE sequence = 800`, 800, /its id is/],
  ['a missing message', `DELETE FROM messages WHERE sequence = 5`, 5, /expected sequence 5 but got:6/],
  ['a missing end', `DELETE FROM messages WHERE sequence = ${MESSAGES}`, MESSAGES, /missing/],
];

for (const [what, sql, sequence, reason] of DAMAGE) {
  test(`${what} is found`, async (t) => {
    const { store, feed } = await tampered(t, sql);
    const problems = await verify(store);
    assert.deepEqual(
      problems.map((problem) => ({ feed: problem.feed, sequence: problem.sequence })),
      [{ feed, sequence }],
    );
    assert.match(problems[0]?.reason ?? '', reason);
  });
}

test('it goes on where it was interrupted', async (t) => {
  const { store, feed } = await tampered(t, '');
  const verified = new Map<string, number>();
  const interrupt = new AbortController();
  const counts: number[] = [];
  const options = { verified, signal: interrupt.signal, onStep: (messages: number) => counts.push(messages) };
  const first = verifyStore(store, { ...options, onStep: () => interrupt.abort() });
  await assert.rejects(first, { name: 'AbortError' });
  assert.deepEqual([...verified], [[feed, 500]]);
  assert.deepEqual(await verifyStore(store, { ...options, signal: new AbortController().signal }), []);
  assert.equal(counts.at(-1), MESSAGES - 500);
});
