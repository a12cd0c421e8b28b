import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseContent } from '../../../src/message/content.ts';
import { MAX_TIME_MS } from '../../../src/message/limits.ts';
import { decodeLog, encodeLog } from '../../../src/message/log.ts';
import { runLabels, runRecords } from '../../helpers/arbitrary.ts';

const MESSAGE = { timestamp: 5, sequence: 7 };

test('a record comes back as it was, with its labels, over JSON and the check of contents', () => {
  fc.assert(
    fc.property(runLabels, runRecords(1, 3000), (labels, [record]) => {
      assert.ok(record);
      const parsed = parseContent(JSON.parse(JSON.stringify(encodeLog(labels, record))));
      assert.ok(parsed.kind === 'known' && parsed.content.type === 'log');
      const { source, destination, job, run } = parsed.content;
      assert.deepEqual({ source, destination, job, run }, { destination: undefined, job: undefined, ...labels });
      assert.deepEqual(decodeLog(parsed.content, MESSAGE), record);
    }),
    { numRuns: 300 },
  );
});

test('no content of any shape is thrown at, and what is read as a line can be sorted and shown', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.double(), fc.string({ unit: 'binary' }));
  const fields = ['text', 'source', 'at', 'run', 'line', 'level', 'stream', 'raw', 'more', 'lines', 'data', 'encoding'];
  const types = fc.constantFrom('log', 'log-block', 'log-run', 'contact', 'about', '__proto__', 'other');
  const content = fc
    .tuple(types, fc.dictionary(fc.constantFrom(...fields), odd), odd)
    .map(([type, rest, text]) => ({ text, ...rest, type }));
  fc.assert(
    fc.property(fc.oneof(content, odd), fc.double({ noNaN: true, noDefaultInfinity: true }), (value, timestamp) => {
      const parsed = parseContent(value);
      if (parsed.kind !== 'known' || parsed.content.type !== 'log') return;
      const { at, line, bytes } = decodeLog(parsed.content, { ...MESSAGE, timestamp });
      assert.ok(Number.isInteger(at) && at >= 0 && at <= MAX_TIME_MS, String(at));
      assert.ok(Number.isSafeInteger(line) && line >= 1);
      assert.ok(Buffer.isBuffer(bytes));
    }),
    { numRuns: 1000 },
  );
});
