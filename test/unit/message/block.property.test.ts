import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { SsblogError } from '../../../src/errors.ts';
import { decodeBlock, encodeBlock } from '../../../src/message/block.ts';
import { type LogBlockContent, parseContent } from '../../../src/message/content.ts';
import { runLabels, runRecords } from '../../helpers/arbitrary.ts';

function checked(content: unknown): LogBlockContent | undefined {
  const parsed = parseContent(JSON.parse(JSON.stringify(content)));
  return parsed.kind === 'known' && parsed.content.type === 'log-block' ? parsed.content : undefined;
}

test('records come back as they were, with their labels, over JSON and the check of contents', () => {
  fc.assert(
    fc.property(runLabels, runRecords(60, 300), (labels, records) => {
      const content = checked(encodeBlock(labels, records));
      assert.ok(content);
      const { source, destination, job, run } = content;
      assert.deepEqual({ source, destination, job, run }, { destination: undefined, job: undefined, ...labels });
      assert.deepEqual([...decodeBlock(content)], records);
    }),
    { numRuns: 150 },
  );
});

test('a block that lies is refused before the first record, or gives what it announces', () => {
  const small = fc.oneof(fc.integer({ min: -1, max: 6 }), fc.constantFrom(1e15, 0.5));
  const header = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        times: fc.array(small, { maxLength: 7 }),
        levels: fc.string({ unit: fc.constantFrom('0', '7', '-', '8'), maxLength: 5 }),
        streams: fc.string({ unit: fc.constantFrom('o', 'e', '-', 'x'), maxLength: 5 }),
        more: fc.array(small, { maxLength: 4 }),
      },
      { requiredKeys: [] },
    ),
  );
  const texts = fc.array(fc.constantFrom('', 'a'), { maxLength: 5 });
  const lies = fc.record({ header, lines: small, line: small, from: small, to: small }, { requiredKeys: [] });
  const nothingButHeader = lies.map(({ header: lie }) => (lie === undefined ? {} : { header: lie }));
  const lying = fc.oneof(lies, nothingButHeader as typeof lies);
  let read = 0;
  fc.assert(
    fc.property(texts, lying, (given, told) => {
      const { header = {}, line = 1, lines = given.length, from = 0, to = 5 } = told;
      const payload = `${JSON.stringify(header)}\n${given.map((text) => `${text}\n`).join('')}`;
      const data = deflateRawSync(Buffer.from(payload)).toString('base64');
      const at = [from, to];
      const content = checked({ type: 'log-block', run: 'r', line, lines, at, encoding: 'deflate-raw', data });
      if (content === undefined) return;
      let records: ReturnType<typeof decodeBlock>;
      try {
        records = decodeBlock(content);
      } catch (error) {
        assert.ok(error instanceof SsblogError, String(error));
        return;
      }
      const all = [...records];
      read += 1;
      assert.deepEqual(
        all.map((record) => record.line),
        given.map((_, index) => line + index),
      );
      for (const record of all) assert.ok(record.at >= from && record.at <= to);
    }),
    { numRuns: 4000 },
  );
  assert.ok(read > 100, 'some were no lies');
});
