/** Jobs are found by indexes, in stores of any size. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { JOB_QUERIES } from '../../../src/store/job-query.ts';
import { openStore } from '../../../src/store/open.ts';
import { freshDirectory } from './fake-feed.ts';

test('no query about jobs looks at all runs, all messages or all wishes', (t) => {
  const file = join(freshDirectory(t), 'store.db');
  openStore(file).close();
  const db = new DatabaseSync(file);
  t.after(() => db.close());
  for (const [name, sql] of Object.entries(JOB_QUERIES)) {
    const parameters = Array<number>(sql.split('?').length - 1).fill(1);
    const steps = db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...parameters)
      .map((row) => String((row as { detail: unknown }).detail));
    const scanned = steps.flatMap((step) => /^SCAN (\w+)/.exec(step)?.[1] ?? []);
    const small = ['json_each', 'feeds', 'CONSTANT', 'subquery'];
    assert.deepEqual(
      scanned.filter((table) => !small.includes(table)),
      [],
      `${name}: ${steps.join('; ')}`,
    );
  }
});
