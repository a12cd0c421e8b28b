import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseContent } from '../../../src/message/content.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isTaken(data: string): boolean {
  const block = { type: 'log-block', run: 'r', line: 1, lines: 1, at: [0, 0], encoding: 'brotli', data };
  return parseContent(block).kind === 'known';
}

for (const data of ['', 'QQ==', 'QUE=', 'QUFB', 'QUFBQQ==', '+/+/']) {
  test(`"${data}" is base64`, () => assert.ok(isTaken(data)));
}
for (const data of [
  'Q',
  'QQ',
  'QQ=',
  'QUFBQQ',
  'QQ==QQ==',
  '====',
  'A===',
  '=QQ=',
  'QU B',
  'QUF\n',
  '-_-_',
  'QÄ==',
  'Q\0Q=',
]) {
  test(`${JSON.stringify(data)} is no base64`, () => assert.ok(!isTaken(data)));
}

test('what is taken for base64 is what the standard says', () => {
  const characters = fc.constantFrom('A', 'Q', 'g', 'w', '+', '/', '=', '=', '-', '_', ' ', '\n', 'Ā', '.');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      assert.equal(isTaken(text), BASE64.test(text));
    }),
    { numRuns: 20_000 },
  );
});
