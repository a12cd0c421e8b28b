/** Everything that is drawn from messages, drawn anew, and compared. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { block, FakeFeed, freshDirectory, LABELS, log, START_MS } from './fake-feed.ts';

/** More messages than one step has, of two feeds in turns, with all that can be drawn from them. */
function filledStore(t: TestContext) {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  t.after(() => store.close());
  const [one, two] = [new FakeFeed('one'), new FakeFeed('two')];
  for (let line = 1; line <= 1200; line += 2) {
    store.ingest([
      one.message(line % 6 === 1 ? log(line, { bytes: Buffer.from('a'), more: true }) : log(line, 'b')),
      two.message(block(line, ['x', 'y'], { ...LABELS, run: `run-${line % 7}` })),
    ]);
  }
  store.ingest([
    one.message(block(1000, ['late'])),
    one.message({ type: 'about', about: one.id, name: 'first' }),
    one.message({ type: 'contact', contact: two.id, following: true }),
    two.message({ type: 'log-run', ...LABELS, state: 'end', started: START_MS, ended: START_MS + 5, exit: 1 }),
    two.message({ type: 'log-job', feed: one.id, job: 'nightly', state: 'forgotten', at: START_MS }),
    two.message({ type: 'log-job', feed: one.id, job: 'nightly', state: 'paused', at: START_MS + 9, until: START_MS }),
    one.message({ type: 'log-job', feed: one.id, job: 'nightly', state: 'active', at: START_MS }),
    two.message({ type: 'log-notice', kind: 'claim', to: 'anna', at: START_MS }),
    two.message({ type: 'log-notice', kind: 'sent', to: 'anna', at: START_MS, episodes: ['a'.repeat(22)] }),
    two.message({ type: 'log-block', run: 'broken' }),
  ]);
  return { file, store, one };
}

/** What is not as it should be, by a reader beside the writer. */
function differences(file: string): string[] {
  const reader = openStore(file, { readOnly: true });
  const steps = reader.compare();
  let step = steps.next();
  while (!step.done) step = steps.next();
  reader.close();
  return step.value.map(({ table, rows }) => `${table} ${rows}`);
}

function run(store: Store): number[] {
  return [...store.rebuild()];
}

/** All drawn rows; ids of labels are left out, as they must be new. */
function drawn(file: string): Record<string, unknown[]> {
  const db = new DatabaseSync(file, { readOnly: true });
  const all = (sql: string) => (db.prepare(sql).all() as object[]).map((row) => ({ ...row }));
  const labels = all(
    `SELECT feeds.feed, source, job, message, labels.sequence, runs.run, line, labels.lines, labels.first, labels.last, level, labels.open
     FROM labels JOIN series ON series.id = labels.series JOIN feeds ON feeds.id = series.feed
     LEFT JOIN runs ON runs.id = labels.run ORDER BY labels.id`,
  );
  const rest = ['feeds', 'series', 'runs', 'run_records', 'job_states', 'notices', 'contacts', 'names'].map((table) => [
    table,
    all(`SELECT * FROM ${table} ORDER BY 1, 2`),
  ]);
  db.close();
  return { labels, ...Object.fromEntries(rest) };
}

test('what is drawn anew is what it was', (t) => {
  const { file, store } = filledStore(t);
  const before = drawn(file);
  assert.deepEqual(differences(file), []);
  assert.deepEqual(run(store), [1000, 1210]);
  assert.deepEqual(drawn(file), before);
});

const DAMAGE: readonly [sql: string, found: readonly string[]][] = [
  ['DELETE FROM labels WHERE id % 3 = 0', ['labels 400']],
  ['UPDATE labels SET first = first - 1 WHERE id = 700', ['labels 2']],
  ['INSERT INTO labels SELECT 5000, series, 5000, 1, run, 1, 1, 1, 1, 1, 0 FROM labels LIMIT 1', ['labels 1']],
  ['DELETE FROM run_records; DELETE FROM runs WHERE id = 1', ['labels 1202', 'runs 1', 'run_records 1']],
  [`UPDATE runs SET progress = 3 WHERE run = 'run-1' AND feed = 1`, ['runs 1']],
  [`UPDATE job_states SET state = 'active' WHERE author = 2`, ['job_states 1']],
  ['DELETE FROM job_states', ['job_states 2']],
  [`UPDATE notices SET at = 1 WHERE episode <> ''`, ['notices 1']],
  [`UPDATE run_records SET cron = '* * * * *'`, ['run_records 1']],
  [`UPDATE names SET name = 'wrong'; UPDATE contacts SET following = 0`, ['contacts 1', 'names 1']],
  ['UPDATE feeds SET lines = 7, last_at = 1, unreadable = 9 WHERE id = 2', ['feeds 1']],
];

for (const [damage, found] of DAMAGE) {
  test(`it is found and mended: ${damage}`, (t) => {
    const { file, store } = filledStore(t);
    const before = drawn(file);
    store.close();
    const db = new DatabaseSync(file);
    db.exec(damage);
    db.close();
    assert.deepEqual(differences(file), found);
    const again = openStore(file);
    t.after(() => again.close());
    run(again);
    assert.deepEqual(drawn(file), before);
    assert.deepEqual(differences(file), []);
  });
}

test('one that is left early changes nothing, and the store can be written on', (t) => {
  const { file, store, one } = filledStore(t);
  const before = drawn(file);
  for (const done of store.rebuild()) if (done >= 1000) break;
  assert.deepEqual(drawn(file), before);
  const lines = store.lineCount();
  store.ingest([one.message(log(5000, 'next'))]);
  assert.equal(store.lineCount(), lines + 1);
});

test('rows are numbered on, readers learn of it, and lines that come after are added', (t) => {
  const { file, store, one } = filledStore(t);
  const reader = openStore(file, { readOnly: true });
  t.after(() => reader.close());
  const [last, lines] = [reader.lastRow(), reader.lineCount()];
  assert.equal(reader.isReplaced(), false);
  run(store);
  assert.equal(reader.isReplaced(), true);
  assert.ok([...reader.labels({ order: 'ascending' })].every(({ id }) => id > last));
  store.ingest([one.message(log(5000, 'next'))]);
  assert.equal(reader.lineCount(), lines + 1);
});
