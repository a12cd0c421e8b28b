/** The views that other programs read, and how a store of the version before gets them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { systemCode } from '../../../src/errors.ts';
import { SCHEMA_VERSION } from '../../../src/store/migrations.ts';
import { openStore } from '../../../src/store/open.ts';
import { APPLICATION_ID, VERSION_1, VERSION_2 } from '../../../src/store/schema.ts';
import { block, FakeFeed, freshDirectory, LABELS, log, START_MS } from './fake-feed.ts';

/** A store with a line, a block, a run's end and a name, still open. */
function filled(t: Parameters<typeof freshDirectory>[0]) {
  const file = join(freshDirectory(t), 'store.db');
  const store = openStore(file);
  t.after(() => store.close());
  const feed = new FakeFeed('laptop');
  store.ingest([
    feed.message({ type: 'about', about: feed.id, name: 'laptop' }),
    feed.message(log(1, { bytes: Buffer.from('it broke'), level: 'err' })),
    feed.message(block(2, ['two', 'three'])),
    feed.message({ type: 'log', text: 'no labels' }, START_MS + 10),
    feed.message({
      ...{ type: 'log-run', ...LABELS, state: 'end', started: START_MS, ended: START_MS + 1500 },
      ...{ exit: 3, lines: 3, levels: { err: 1 }, every: '24h' },
    }),
    feed.message({ type: 'log-run', run: 'no more' }),
  ]);
  return { file, feed: feed.id };
}

/** What the sqlite3 program answers, or, where it is not installed, a plain connection: neither has functions of ours. */
function ask(file: string, sql: string): Record<string, unknown>[] {
  try {
    const text = execFileSync('sqlite3', ['-readonly', '-json', file, sql], { encoding: 'utf8' });
    return text === '' ? [] : (JSON.parse(text) as Record<string, unknown>[]);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare(sql).all() as object[];
  db.close();
  return rows.map((row) => ({ ...row }));
}

test('log_messages shows what bears lines, to other programs, while the store is being written', (t) => {
  const { file, feed } = filled(t);
  const common = { feed, machine: 'laptop' };
  const labels = { source: 'laptop', destination: 'nas', job: 'nightly', run: 'run-1' };
  const none = { source: null, destination: null, job: null, run: null };
  const times = (first: number, last: number) => ({
    first_at: new Date(START_MS + first).toISOString(),
    last_at: new Date(START_MS + last).toISOString(),
    first_ms: START_MS + first,
    last_ms: START_MS + last,
  });
  assert.deepEqual(ask(file, 'SELECT * FROM log_messages ORDER BY sequence'), [
    { ...common, sequence: 2, ...labels, ...times(1, 1), line: 1, lines: 1, level: 'err', text: 'it broke' },
    { ...common, sequence: 3, ...labels, ...times(2, 3), line: 2, lines: 2, level: null, text: null },
    { ...common, sequence: 4, ...none, ...times(10, 10), line: null, lines: 1, level: null, text: 'no labels' },
  ]);
});

test('log_runs and machines show runs and machines', (t) => {
  const { file, feed } = filled(t);
  assert.deepEqual(ask(file, 'SELECT * FROM log_runs'), [
    {
      ...{ feed, machine: 'laptop', source: 'laptop', destination: 'nas', job: 'nightly', run: 'run-1', state: 'end' },
      ...{ started: '2026-11-22T03:00:00.000Z', ended: '2026-11-22T03:00:01.500Z' },
      ...{ started_ms: START_MS, ended_ms: START_MS + 1500, duration_ms: 1500, exit: 3, signal: null },
      ...{ first_line: '2026-11-22T03:00:00.001Z', last_line: '2026-11-22T03:00:00.003Z' },
      ...{ records: 3, lines: 3, levels: '{"err":1}', every: '24h', grace: null },
      ...{ reason: null, cron: null, tz: null, ok: 0 },
    },
  ]);
  assert.deepEqual(ask(file, 'SELECT * FROM machines'), [
    {
      ...{ id: feed, name: 'laptop', messages: 6, lines: 4, unreadable: 1 },
      ...{ last_line: '2026-11-22T03:00:00.010Z', last_line_ms: START_MS + 10 },
    },
  ]);
});

test('a store of version 2 is brought up to date with all that it holds', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  const old = new DatabaseSync(file);
  old.exec(`PRAGMA journal_mode = WAL; ${VERSION_1}; ${VERSION_2}`);
  old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 2`);
  const feed = new FakeFeed('laptop');
  const { key, value, timestamp } = feed.message({ type: 'log', text: 'old' });
  old.prepare('INSERT INTO feeds VALUES (1, ?, 1, 1, ?, 0)').run(feed.id, START_MS);
  old.prepare('INSERT INTO messages VALUES (1, 1, 1, ?, ?, ?)').run(key, timestamp, JSON.stringify(value));
  old.exec(`INSERT INTO series VALUES (1, 1, '', '', '')`);
  old.exec(`INSERT INTO labels VALUES (1, 1, 1, 1, NULL, NULL, 1, ${START_MS}, ${START_MS}, NULL, 0)`);
  old.close();

  const store = openStore(file);
  t.after(() => store.close());
  assert.deepEqual(ask(file, 'PRAGMA user_version'), [{ user_version: SCHEMA_VERSION }]);
  assert.deepEqual(ask(file, 'SELECT sequence, text FROM log_messages'), [{ sequence: 1, text: 'old' }]);
  assert.deepEqual(ask(file, 'SELECT message FROM message_keys'), [{ message: 1 }]);
  assert.equal(store.log.byKey(key)?.timestamp, timestamp);
  store.ingest([feed.message({ type: 'log', text: 'new' })]);
  assert.deepEqual(ask(file, 'SELECT text FROM log_messages ORDER BY sequence'), [{ text: 'old' }, { text: 'new' }]);
});
