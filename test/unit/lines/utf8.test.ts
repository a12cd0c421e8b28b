import assert from 'node:assert/strict';
import { test } from 'node:test';
import { characterCut } from '../../../src/lines/utf8.ts';

const CASES: readonly [bytes: Buffer, index: number, cut: number][] = [
  [Buffer.from('abcd'), 2, 2],
  [Buffer.from('aéb'), 1, 1],
  [Buffer.from('aéb'), 2, 1],
  [Buffer.from('aéb'), 3, 3],
  [Buffer.from('a日b'), 3, 1],
  [Buffer.from('a😀b'), 2, 1],
  [Buffer.from('a😀b'), 4, 1],
  [Buffer.from('a😀b'), 5, 5],
  [Buffer.from('😀'), 2, 0],
  // Not UTF-8: continuation bytes that continue nothing, or more than were announced.
  [Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80]), 4, 4],
  [Buffer.from([0x61, 0x80, 0x80]), 2, 2],
  [Buffer.from([0xc3, 0xa9, 0xa9]), 2, 2],
  [Buffer.from([0xff, 0x80]), 1, 1],
  [Buffer.from([0x80, 0x80]), 1, 1],
];

for (const [bytes, index, cut] of CASES) {
  test(`${bytes.toString('hex')} is cut at ${cut} when ${index} is asked for`, () => {
    assert.equal(characterCut(bytes, index), cut);
  });
}
