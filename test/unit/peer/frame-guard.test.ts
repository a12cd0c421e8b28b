import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameGuard, guardFrames } from '../../../src/peer/frame-guard.ts';

function frame(bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(9 + bodyBytes, 0xff);
  bytes.writeUInt32BE(bodyBytes, 1);
  return bytes;
}

/** The bytes in chunks that end at these places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test('the longest frame is found, wherever the bytes are cut', () => {
  const lengths = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.array(fc.nat()), (bodies, places) => {
      const guard = new FrameGuard();
      const chunks = cutAt(Buffer.concat(bodies.map(frame)), places);
      assert.equal(Math.max(...chunks.map((chunk) => guard.longest(chunk))), Math.max(...bodies));
    }),
  );
});

test('a frame that is too long ends the stream when its head has come, and nothing of its body', () => {
  const chunks = [frame(10), frame(11).subarray(0, 9)];
  const refused: number[] = [];
  const guarded = guardFrames(
    (_abort, callback) => callback(null, chunks.shift()),
    10,
    (length) => refused.push(length),
  );
  const answers: unknown[] = [];
  for (let read = 0; read < 2; read += 1) guarded(null, (end) => answers.push(end instanceof Error));
  assert.deepEqual(answers, [false, true]);
  assert.deepEqual(refused, [11]);
});
