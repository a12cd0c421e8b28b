import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toBase32768 } from '../../../src/message/base32768.ts';
import type { SignedValue } from '../../../src/message/signed.ts';
import { packValue, unpackValue } from '../../../src/store/packed-value.ts';

function signed(content: unknown): SignedValue {
  const author = `@${'A'.repeat(43)}=.ed25519`;
  return {
    previous: null,
    sequence: 1,
    author,
    timestamp: 1.5,
    hash: 'sha256',
    content,
    signature: 'x',
  } as SignedValue;
}

const bytes = Buffer.from('any bytes \0\n\xff', 'latin1');

for (const [encoding, data] of [
  ['brotli-base32768', toBase32768(bytes)],
  ['brotli', bytes.toString('base64')],
  ['unknown', bytes.toString('base64')],
] as const) {
  test(`a block's data is kept as bytes, without a change to the value: ${encoding}`, () => {
    const value = signed({ type: 'log-block', encoding, data, after: 1 });
    const json = JSON.stringify(value);
    const packed = packValue(value);
    assert.deepEqual(Buffer.from(packed.data ?? []), bytes);
    assert.ok(!packed.text.includes(data));
    assert.equal(JSON.stringify(value), json);
    assert.equal(JSON.stringify(unpackValue(packed)), json);
  });
}

const AS_THEY_ARE: readonly [title: string, content: unknown][] = [
  ['a line', { type: 'log', text: 'x', data: 'AAAA' }],
  ['data that is no base64', { type: 'log-block', data: 'not base64!' }],
  ['base64 without its padding', { type: 'log-block', data: 'QQ' }],
  ['base64 with bits that count for nothing', { type: 'log-block', data: 'QR==' }],
  ['data that is no base32768', { type: 'log-block', encoding: 'brotli-base32768', data: 'QUFB' }],
  ['base32768 with bits that count for nothing', { type: 'log-block', encoding: 'brotli-base32768', data: '\u3401' }],
  ['no data', { type: 'log-block', data: '' }],
  ['data that is no text', { type: 'log-block', data: [1] }],
  ['an encrypted content', 'AAAA.box'],
  ['no content', null],
];

for (const [title, content] of AS_THEY_ARE) {
  test(`${title}: kept as JSON`, () => {
    const packed = packValue(signed(content));
    assert.equal(packed.data, null);
    assert.equal(JSON.stringify(unpackValue(packed)), JSON.stringify(signed(content)));
  });
}

test('whatever was signed comes back, down to the order of its fields', () => {
  const data = fc.oneof(
    fc.string(),
    fc.uint8Array().map((given) => Buffer.from(given).toString('base64')),
    fc.uint8Array().map(toBase32768),
    fc.string({ unit: fc.constantFrom('\u3400', '\u3401', '\uac00', '\uc000', '\uc07f', '\uc080', '\ua000') }),
  );
  const encoding = fc.constantFrom('brotli-base32768', 'brotli', 1, undefined);
  const content = fc.tuple(
    encoding,
    fc.dictionary(fc.string(), fc.jsonValue()),
    data,
    fc.dictionary(fc.string(), fc.jsonValue()),
  );
  fc.assert(
    fc.property(content, ([name, before, given, after]) => {
      const text = JSON.stringify(signed({ ...before, encoding: name, type: 'log-block', data: given, ...after }));
      assert.equal(JSON.stringify(unpackValue(packValue(JSON.parse(text) as SignedValue))), text);
    }),
  );
});
