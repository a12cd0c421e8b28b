import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase32768, toBase32768 } from '../../../src/message/base32768.ts';

const KNOWN: readonly [bytes: readonly number[], text: string][] = [
  [[], ''],
  [[0x00], '\u3400'],
  [[0xff], '\ubf80'], // 11111111 and seven zeros: 7F80
  [[0x00, 0x01], '\u3400\uc040'], // one bit is left: 1, and six zeros
  [[0xd7, 0xff], '\u9fff\uc040'], // 6BFF, the last before the gap
  [[0xd8, 0x00], '\uac00\uc000'], // 6C00, the first behind it
  [Array.from({ length: 15 }, () => 0xff), '\ubfff'.repeat(8)],
];

for (const [bytes, text] of KNOWN) {
  test(`[${bytes}] is "${text}", and back`, () => {
    assert.equal(toBase32768(Buffer.from(bytes)), text);
    assert.deepEqual(fromBase32768(text), Buffer.from(bytes));
  });
}

test('any bytes come back as they went', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.deepEqual(fromBase32768(toBase32768(bytes)), Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('a text takes one unit for each 15 bits, and JSON adds nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase32768(bytes);
      assert.equal(text.length, Math.ceil((bytes.length * 8) / 15));
      assert.equal(JSON.stringify(text), `"${text}"`);
      assert.equal(text.normalize('NFC'), text);
    }),
  );
});

const OUTSIDE = ['A', '\u33ff', '\ua000', '\uabff', '\uc080', '\ud800', '\uffff'];

for (const unit of OUTSIDE) {
  test(`U+${unit.charCodeAt(0).toString(16)} is no character of it, wherever it stands`, () => {
    const text = toBase32768(Buffer.alloc(30));
    for (let at = 0; at <= text.length; at += 1)
      assert.equal(fromBase32768(text.slice(0, at) + unit + text.slice(at)), undefined);
  });
}

test('of all units only those of the alphabet are read', () => {
  const alphabet = new Set(
    Array.from({ length: 0x8000 }, (_, number) => String.fromCharCode(number + (number < 0x6c00 ? 0x3400 : 0x4000))),
  );
  for (let code = 0; code <= 0xffff; code += 1) {
    const unit = String.fromCharCode(code);
    // Eight units are 15 bytes, which are read together.
    const bytes = fromBase32768(`${unit}${'\u3400'.repeat(7)}`);
    assert.equal(bytes !== undefined, alphabet.has(unit), `U+${code.toString(16)}`);
    if (bytes !== undefined) assert.equal(toBase32768(bytes)[0], unit);
  }
});

test('there is one text for each row of bytes', () => {
  const unit = fc.oneof(
    fc.constantFrom('\u3400', '\u3401', '\u3480', '\u9fff', '\uac00', '\ubfff', '\uc000', '\uc001', '\uc040', '\uc07f'),
    fc.nat({ max: 0x7fff }).map((number) => String.fromCharCode(number + (number < 0x6c00 ? 0x3400 : 0x4000))),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 20 }), (text) => {
      const bytes = fromBase32768(text);
      if (bytes === undefined) return;
      taken += 1;
      assert.equal(toBase32768(bytes), text);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(taken > 100, `${taken} were taken`);
});
