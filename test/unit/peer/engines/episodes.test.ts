import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Episodes } from '../../../../src/peer/engines/sqlite/episodes.ts';

test('many failures in a row, and successes between them, are one episode with a beginning and an end', () => {
  const said: string[] = [];
  let now = 0;
  const episodes = new Episodes(
    (text) => said.push(text),
    () => now,
  );
  episodes.success();
  assert.deepEqual(said, []);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    episodes.failure('disk full');
    now += 1_000;
    episodes.success();
  }
  assert.deepEqual(said, ['disk full']);
  now += 10_000;
  episodes.success();
  episodes.success();
  assert.deepEqual(said, ['disk full', 'messages are stored again']);
  episodes.failure('disk full');
  assert.deepEqual(said, ['disk full', 'messages are stored again', 'disk full']);
});
