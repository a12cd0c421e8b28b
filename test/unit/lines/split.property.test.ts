import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from '../../../src/lines/split.ts';
import { MAX_RECORD_BYTES } from '../../../src/message/limits.ts';
import { anyBytes } from '../../helpers/arbitrary.ts';
import { eachLine } from '../../helpers/raw-lines.ts';

/** The bytes in chunks of any size, empty ones among them. */
const input = fc
  .tuple(anyBytes(3 * MAX_RECORD_BYTES), fc.array(fc.nat(MAX_RECORD_BYTES + 10), { minLength: 1, maxLength: 8 }))
  .map(([bytes, sizes]) => ({ bytes, chunks: [...cut(bytes, sizes)] }));

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 0;
    yield bytes.subarray(start, start + size);
    // Sizes that are all 0 would never come to the end.
    start += index >= sizes.length ? Math.max(size, 1) : size;
    if (index >= sizes.length && size === 0) yield bytes.subarray(start - 1, start);
  }
}

test('whatever the bytes and however they are chunked, the lines are the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.array(fc.nat(1e6), { minLength: 1 }), async ({ bytes, chunks }, times) => {
      assert.ok(Buffer.concat(chunks).equals(bytes));
      let tick = 0;
      const lines = [];
      const source = (async function* () {
        yield* chunks;
      })();
      for await (const some of splitLines(source, { now: () => times[tick++ % times.length] ?? 0 }))
        lines.push(...eachLine(some));
      const joined = Buffer.concat(
        lines.flatMap(({ bytes: text, more }) => (more ? [text] : [text, Buffer.from('\n')])),
      );
      const isEnded = bytes.length === 0 || bytes.at(-1) === 0x0a;
      assert.ok(joined.equals(isEnded ? bytes : Buffer.concat([bytes, Buffer.from('\n')])));
      for (const [index, { bytes: text, at, more }] of lines.entries()) {
        assert.ok(text.length <= MAX_RECORD_BYTES && !text.includes(0x0a));
        assert.ok(!more || text.length > MAX_RECORD_BYTES - 4, 'a piece is as long as it can be');
        assert.ok(at >= (lines[index - 1]?.at ?? 0), 'time does not go back');
      }
    }),
    { numRuns: 150 },
  );
});
