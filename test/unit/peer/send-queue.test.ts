import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iterate } from '../../../src/peer/pull.ts';
import { sendQueue } from '../../../src/peer/send-queue.ts';
import type { PullSource } from '../../../src/peer/ssb/types.ts';

/** A source that answers at once. */
function sourceOf(chunks: readonly Buffer[]): PullSource<Buffer> {
  let next = 0;
  return (abort, callback) => {
    if (abort || next === chunks.length) callback(abort || true);
    else callback(null, chunks[next++]);
  };
}

const bytesOf = (...texts: string[]) => texts.map((text) => Buffer.from(text));

test('all that comes waits, is counted, and goes out in its order, with the end behind it', async () => {
  const changes: number[] = [];
  const queue = sendQueue(sourceOf(bytesOf('one', 'three', 'x')), (bytes) => changes.push(bytes));
  const sent: string[] = [];
  for await (const chunk of iterate(queue.source)) {
    if (sent.length === 0) assert.equal(queue.bytes, 6, 'the rest was taken while the first was read');
    sent.push(chunk.toString());
  }
  assert.deepEqual(sent, ['one', 'three', 'x']);
  assert.deepEqual(changes, [5, 1, -5, -1]);
});

test('a hundred thousand chunks at once are taken without an end of the stack', async () => {
  const chunks = Array.from({ length: 100_000 }, () => Buffer.from('x'));
  const queue = sendQueue(sourceOf(chunks), () => undefined);
  let count = 0;
  for await (const _ of iterate(queue.source)) count += 1;
  assert.equal(count, chunks.length);
});

test('what comes later goes to the reader that waits, and is not counted', () => {
  let push: ((end: null, chunk: Buffer) => void) | undefined;
  const queue = sendQueue(
    (_abort, callback) => {
      push = callback;
    },
    () => assert.fail('nothing waits'),
  );
  const sent: unknown[] = [];
  const read = () =>
    queue.source(null, (_end, chunk) => {
      sent.push(chunk?.toString());
    });
  read();
  push?.(null, Buffer.from('a'));
  read();
  push?.(null, Buffer.from('b'));
  assert.deepEqual(sent, ['a', 'b']);
});

test('a reader that leaves ends the source, and nothing waits any more', () => {
  let total = 0;
  const aborts: unknown[] = [];
  const source = sourceOf(bytesOf('one', 'two'));
  const queue = sendQueue(
    (abort, callback) => {
      if (abort) aborts.push(abort);
      source(abort, callback);
    },
    (bytes) => {
      total += bytes;
    },
  );
  queue.source(null, () => undefined);
  assert.equal(total, 3);
  queue.source(true, () => undefined);
  assert.deepEqual([total, queue.bytes, aborts], [0, 0, [true]]);
});
