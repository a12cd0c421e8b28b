import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { clockOffset, LAST_TIMES } from '../../../src/store/clock-offset.ts';
import { openStore } from '../../../src/store/open.ts';
import { FakeFeed, freshDirectory, START_MS } from './fake-feed.ts';

const HOUR_MS = 3_600_000;

/** Messages made at these times, in seconds, each received so much later, in milliseconds. */
function messages(made: readonly number[], delayOf: (index: number) => number) {
  return made.map((second, index) => {
    const time = START_MS + second * 1000;
    return { made: time, received: time + delayOf(index) };
  });
}

const CASES: readonly (readonly [string, Parameters<typeof clockOffset>[0], number | undefined])[] = [
  ['no message', [], undefined],
  ['a single message that came before it was made', messages([0], () => -HOUR_MS), HOUR_MS],
  ['a single message that came late, for whatever reason', messages([0], () => HOUR_MS), undefined],
  ['a clock that is right', messages([0, 5, 9], (index) => 20 + index), -21],
  ['a clock that is ahead, some messages of which came late', messages([0, 5, 9], (i) => i * 9000 - HOUR_MS), HOUR_MS],
  ['a clock that is behind', messages([0, 5, 9], (index) => HOUR_MS + 100 * index), -HOUR_MS - 100],
  [
    'a machine that was away, whose messages came at once',
    messages([0, 5, 10], (index) => HOUR_MS - index * 5000),
    undefined,
  ],
  [
    'a machine that was away, whose messages of a short while came at once',
    messages([0, 1.5, 3], (index) => HOUR_MS - index * 1500),
    undefined,
  ],
  ['messages of one moment, which prove nothing', messages([0, 0.01, 0.02], () => HOUR_MS), undefined],
];

for (const [what, times, offset] of CASES) {
  test(`the offset of ${what}`, () => assert.equal(clockOffset(times), offset));
}

test('offsets are those of the last messages of each feed, whatever feeds claim', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  t.after(() => store.close());
  const [ahead, mended, absurd, other] = ['ahead', 'mended', 'absurd', 'other'].map((name) => new FakeFeed(name));
  assert.ok(ahead && mended && absurd && other);
  const at = (feed: FakeFeed, made: number, received: number) =>
    store.ingest([{ ...feed.message({ type: 'log', text: 'x' }, made), timestamp: received }]);
  for (let second = 0; second < 40; second += 1) {
    const now = START_MS + second * 5000;
    at(ahead, now + HOUR_MS + 0.25, now);
    at(mended, now + (second < 15 ? HOUR_MS : 0), now + 10);
    at(absurd, [1e308, -1e308, 0, 0.5][second % 4] ?? 0, now);
  }
  const offsets = store.clockOffsets();
  assert.equal(offsets.get(ahead.id), HOUR_MS);
  assert.equal(offsets.get(mended.id), -10);
  assert.ok(Number.isSafeInteger(offsets.get(absurd.id)));
  assert.equal(offsets.get(other.id), undefined);
});

test('offsets are found without looking at all messages', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  const db = new DatabaseSync(file);
  t.after(() => db.close());
  const plan = db
    .prepare(`EXPLAIN QUERY PLAN ${LAST_TIMES}`)
    .all(20)
    .map((row) => String((row as { detail: unknown }).detail));
  assert.deepEqual(plan, ['SCAN feeds', 'SEARCH messages USING INDEX messages_by_sequence (feed=? AND sequence>?)']);
});
