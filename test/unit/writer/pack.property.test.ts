import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../../src/assemble/lines.ts';
import { splitLines } from '../../../src/lines/split.ts';
import { MAX_MESSAGE_UNITS, MAX_RECORD_BYTES } from '../../../src/message/limits.ts';
import { messageUnits } from '../../../src/message/size.ts';
import { Packer } from '../../../src/writer/pack.ts';
import { anyBytes, runLabels } from '../../helpers/arbitrary.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';

test('whatever is read becomes messages that fit, and comes out of the log byte for byte', async (t) => {
  const store = freshStore(t);
  let runs = 0;
  const chunks = fc.array(anyBytes(3 * MAX_RECORD_BYTES), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(chunks, runLabels, fc.boolean(), fc.nat(100), async (input, labels, blocks, stepMs) => {
      let time = 0;
      const now = () => {
        time += stepMs;
        return time;
      };
      runs += 1;
      const run = `${runs} ${labels.run}`;
      const packer = new Packer({ labels: { ...labels, run }, blocks, now });
      const contents = [];
      const source = (async function* () {
        yield* input;
      })();
      for await (const lines of splitLines(source, { now })) contents.push(...packer.add(lines));
      contents.push(...packer.flush());
      for (const content of contents) assert.ok(messageUnits(content) <= MAX_MESSAGE_UNITS);

      const feed = new FakeFeed(run);
      store.ingest(contents.map((content) => feed.message(JSON.parse(JSON.stringify(content)))));
      const texts: Buffer[] = [];
      for await (const batch of readLines(store, { runs: [run] })) {
        for (const line of batch) {
          assert.deepEqual([line.source, line.destination, line.job], [labels.source, labels.destination, labels.job]);
          texts.push(line.bytes, Buffer.from('\n'));
        }
      }
      const bytes = Buffer.concat(input);
      const isEnded = bytes.length === 0 || bytes.at(-1) === 0x0a;
      assert.ok(Buffer.concat(texts).equals(isEnded ? bytes : Buffer.concat([bytes, Buffer.from('\n')])));
    }),
    { numRuns: 40, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  );
});
