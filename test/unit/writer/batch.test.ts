import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Content, LogBlockContent, LogContent } from '../../../src/message/content.ts';
import { MAX_MESSAGE_UNITS } from '../../../src/message/limits.ts';
import { Batch } from '../../../src/writer/batch.ts';

const line = (text: string): LogContent => ({ type: 'log', text });
const block = (units: number): LogBlockContent => ({
  type: 'log-block',
  run: 'r',
  line: 1,
  lines: 1,
  at: [0, 0],
  encoding: 'deflate-raw',
  data: 'A'.repeat(units),
});

/** How many of a content a batch takes. */
function room(content: Content): number {
  const batch = new Batch();
  while (!batch.isFullFor(content)) batch.add(content);
  return batch.contents.length;
}

test('a batch takes many small contents, and of large ones as many as 64 full messages hold', () => {
  assert.equal(room(line('backup complete')), 256);
  assert.equal(room(block(MAX_MESSAGE_UNITS)), 64);
  assert.equal(room(block(MAX_MESSAGE_UNITS / 2)), 128);
  assert.equal(room(line('x'.repeat(4096))), 128);
  assert.equal(room({ ...line(''), raw: 'A'.repeat(8192) }), 64);
});

test('a content of any size goes into a batch that is empty', () => {
  assert.equal(room(block(1_000_000)), 1);
});

test('what is in a batch keeps its order', () => {
  const batch = new Batch();
  const contents = [line('a'), block(10), line('b')];
  for (const content of contents) batch.add(content);
  assert.deepEqual(batch.contents, contents);
});
