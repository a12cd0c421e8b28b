/** What a machine takes on the disk, counted by what it is for. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskUse } from '../../../src/cli/disk.ts';
import { freshDirectory } from '../store/fake-feed.ts';

test('every file counts, however deep it lies, and is of one kind', async (t) => {
  const dir = freshDirectory(t);
  const files: Record<string, number> = {
    'config.json': 100,
    'store.db': 5000,
    'store.db-wal': 700,
    'store.keep': 1,
    'store.damaged-2026-11-22': 9000,
    'flume/log.offset': 3000,
    'flume/views/deep/index': 50,
    'flume.old/log.offset': 20_000,
    'spool/a.jsonl': 30,
    'spool/damaged/b.jsonl': 3,
    empty: 0,
  };
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), 'x'.repeat(bytes));
  }
  assert.deepEqual(await diskUse(dir), {
    bytes: Object.values(files).reduce((sum, bytes) => sum + bytes),
    kinds: [
      ['kept of ssb-server', 20_000],
      ['kept of a damaged store', 9000],
      ['store', 5701],
      ['flume', 3050],
      ['other', 100],
      ['spool', 33],
    ],
  });
});
