import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import jsqr from 'jsqr';
import { renderQr } from '../../../../src/cli/render/qr.ts';
import { SsblogError } from '../../../../src/errors.ts';
import { decodeJoinCode, encodeJoinCode, type JoinCode } from '../../../../src/peer/invites/code.ts';

const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl-_ +/';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([host, number]) => `net:${host}:${number}`),
  fc.tuple(bytes(16), port).map(([host, number]) => {
    const groups = Array.from({ length: 8 }, (_, index) => host.readUInt16BE(index * 2).toString(16));
    return `net:${new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)}:${number}`;
  }),
  fc.tuple(fc.domain(), port).map(([host, number]) => `net:${host}:${number}`),
  fc.domain().map((host) => `ws://${host}/ssblog`),
);
const joinCode: fc.Arbitrary<JoinCode> = fc.record(
  {
    networkKey: bytes(32).map((key) => key.toString('base64')),
    id: bytes(32).map((key) => `@${key.toString('base64')}.ed25519`),
    name: fc.stringMatching(/^[a-zäß€😀-]{1,10}$/u),
    secret: bytes(16),
    addresses: fc.array(address, { maxLength: 8 }),
  },
  { noNullPrototype: true },
);

function sample(): JoinCode {
  return {
    networkKey: randomBytes(32).toString('base64'),
    id: `@${randomBytes(32).toString('base64')}.ed25519`,
    name: 'laptop',
    secret: randomBytes(16),
    addresses: ['net:192.168.1.5:8018', 'net:2001:db8::5:8018'],
  };
}

const isRefused = (error: unknown) => error instanceof SsblogError && error.code === 'code' && error.exitCode === 2;

test('a join code carries what was put into it, in letters that a double click selects', () => {
  fc.assert(
    fc.property(joinCode, (code) => {
      const text = encodeJoinCode(code);
      assert.match(text, /^[A-Za-z0-9]+$/);
      assert.deepEqual(decodeJoinCode(text), code);
      assert.deepEqual(decodeJoinCode(` ${text.slice(0, 70)}\n${text.slice(70)}\n`), code);
    }),
    { numRuns: 200 },
  );
});

test('a code for two addresses fits into 170 letters', () => {
  assert.ok(encodeJoinCode(sample()).length <= 170);
});

test('every single wrong, missing or doubled letter, and every two that changed places, is noticed', () => {
  const text = encodeJoinCode(sample());
  for (let at = 0; at < text.length; at++) {
    const [before, letter = '', after] = [text.slice(0, at), text[at], text.slice(at + 1)];
    const wrong = [...LETTERS]
      .filter((other) => other !== letter && other !== ' ')
      .map((other) => before + other + after);
    const swapped = after[0] === undefined || after[0] === letter ? [] : [before + after[0] + letter + after.slice(1)];
    for (const typo of [...wrong, before + after, before + letter + letter + after, ...swapped]) {
      assert.throws(() => decodeJoinCode(typo), isRefused, typo);
    }
  }
});

test('anything else is refused as well, whatever it is', () => {
  for (const text of ['', 'hello', 'ssblog1', 'ssblog2abc', `ssblog1${'z'.repeat(1_000_000)}`]) {
    assert.throws(() => decodeJoinCode(text), isRefused);
  }
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => decodeJoinCode(`ssblog1${text}`), isRefused)));
});

test('a letter that cannot be is named with its place', () => {
  const text = encodeJoinCode(sample());
  assert.throws(() => decodeJoinCode(`${text.slice(0, 20)}0${text.slice(21)}`), /letter 21 \("0"\)/);
});

test('a long name is cut between characters', () => {
  const { name } = decodeJoinCode(encodeJoinCode({ ...sample(), name: '€'.repeat(200) }));
  assert.equal(name, '€'.repeat(13));
});

test('a scanner reads the QR code as it stands on a terminal', () => {
  const text = encodeJoinCode(sample());
  for (const isColoured of [true, false]) {
    const { drawn = '', problem } = renderQr(text, { columns: 200, rows: 100, isColoured });
    assert.equal(problem, undefined);
    const { data, width, height } = picture(drawn);
    assert.equal(jsqr.default(data, width, height)?.data, text);
  }
});

test('a QR code has colours of its own, unless none are wanted', () => {
  const screen = { columns: 200, rows: 100 };
  const lines = (isColoured: boolean) =>
    renderQr('text', { ...screen, isColoured })
      .drawn?.trimEnd()
      .split('\n') ?? [];
  const plain = lines(false);
  assert.ok(plain.every((line) => /^[█▀▄ ]+$/.test(line)));
  assert.deepEqual(
    lines(true),
    plain.map((line) => `\u001b[38;5;231;48;5;16m${line}\u001b[0m`),
  );
});

test('a terminal that is too small for a QR code is said to be, and no half of it is drawn', () => {
  const text = encodeJoinCode(sample());
  const draw = (columns: number, rows: number) => renderQr(text, { columns, rows, isColoured: true });
  const needed = Number(/(\d+) columns/.exec(draw(10, 100).problem ?? '')?.[1]);
  assert.equal(draw(needed - 1, 100).drawn, undefined);
  assert.deepEqual(Object.keys(draw(needed, 100)), ['drawn']);
  const low = draw(needed, 5);
  assert.match(low.problem ?? '', /lines high, the terminal 5/);
  assert.equal(low.drawn, draw(needed, 100).drawn);
});

const SCALE = 4;

/** The letters of a dark terminal, as a camera sees them: a full block is light. */
function picture(drawn: string): { data: Uint8ClampedArray; width: number; height: number } {
  const rows = drawn
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    .replace(/\u001b\[[\d;]*m/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => [
      [...line].map((letter) => '█▀'.includes(letter)),
      [...line].map((letter) => '█▄'.includes(letter)),
    ]);
  const width = (rows[0]?.length ?? 0) * SCALE;
  const height = rows.length * SCALE;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rows[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)]) continue;
      data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { data, width, height };
}
