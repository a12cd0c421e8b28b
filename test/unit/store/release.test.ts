import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/store/open.ts';
import { releaseClosed } from '../../../src/store/release.ts';
import { FakeFeed, freshDirectory } from './fake-feed.ts';

test('of stores that were closed one file is left', async (t) => {
  const directory = freshDirectory(t);
  const file = join(directory, 'store.db');
  const store = openStore(file);
  store.ingest([new FakeFeed('a').message({ type: 'log', text: 'x' }, 1000)]);
  const reader = openStore(file, { readOnly: true });
  assert.equal(reader.clock().size, 1);
  assert.deepEqual(readdirSync(directory).sort(), ['store.db', 'store.db-shm', 'store.db-wal']);
  reader.close();
  await releaseClosed();
  store.close();
  await releaseClosed();
  assert.deepEqual(readdirSync(directory), ['store.db']);
});
