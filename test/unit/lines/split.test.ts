import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import { splitLines } from '../../../src/lines/split.ts';
import { MAX_RECORD_BYTES } from '../../../src/message/limits.ts';
import { type Random, randomLine, seededRandom } from '../../helpers/random.ts';
import { eachLine } from '../../helpers/raw-lines.ts';

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
}

type Line = ReturnType<typeof eachLine>[number];

async function batches(source: AsyncIterable<Uint8Array>, now = () => 1000): Promise<Line[][]> {
  const all: Line[][] = [];
  for await (const batch of splitLines(source, { now })) all.push(eachLine(batch));
  return all;
}

async function texts(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  return (await batches(chunksOf(...chunks))).flat().map(({ bytes }) => bytes.toString('utf8'));
}

/** A clock that says these times, one a call. */
function clock(...times: number[]): () => number {
  return () => times.shift() ?? assert.fail('the clock was asked too often');
}

/** The input that these pieces come from, with an LF behind each line. */
function joined(pieces: readonly Line[]): Buffer {
  return Buffer.concat(pieces.flatMap(({ bytes, more }) => (more ? [bytes] : [bytes, Buffer.from('\n')])));
}

const CASES: readonly [title: string, chunks: string[], lines: string[]][] = [
  ['no input has no lines', [], []],
  ['empty chunks have no lines', ['', ''], []],
  ['a newline is one empty line', ['\n'], ['']],
  ['a line ends at its newline', ['a\n'], ['a']],
  ['a last line needs no newline', ['a\nb'], ['a', 'b']],
  ['empty lines are lines', ['\n\na\n\n'], ['', '', 'a', '']],
  ['a line goes on over chunks', ['a', 'b', '', 'c\nd'], ['abc', 'd']],
  ['a newline may come alone', ['a', '\n', 'b', '\n'], ['a', 'b']],
  ['a carriage return is part of the line', ['a\r\nb\rc\n'], ['a\r', 'b\rc']],
  ['other line breaks and NULs are parts of the line', ['a\u2028b\v\f\0c\n'], ['a\u2028b\v\f\0c']],
];

for (const [title, chunks, lines] of CASES) {
  test(title, async () => assert.deepEqual(await texts(...chunks), lines));
}

test('a character may be cut by the end of a chunk', async () => {
  const bytes = Buffer.from('a😀b\n');
  assert.deepEqual(await texts(bytes.subarray(0, 3), bytes.subarray(3)), ['a😀b']);
});

test('chunks need not be Buffers, and a view is read within its bounds', async () => {
  const bytes = new TextEncoder().encode('xxone\ntwoxx');
  assert.deepEqual(await texts(bytes.subarray(2, 9)), ['one', 'two']);
});

test('lines come in one batch for each chunk that ends any', async () => {
  const sizes = (await batches(chunksOf('a\nb\nc', 'd', 'e\nf\n', 'g'))).map((batch) => batch.length);
  assert.deepEqual(sizes, [2, 2, 1]);
});

test('a line has the time at which the chunk that ends it was read', async () => {
  const lines = (await batches(chunksOf('a\nb', 'c', 'd\ne\nf'), clock(10, 20, 30))).flat();
  assert.deepEqual(
    lines.map(({ at }) => at),
    [10, 30, 30, 30],
  );
});

test('times are whole milliseconds and do not go back with the clock', async () => {
  const lines = (await batches(chunksOf('a\n', 'b\n', 'c\n'), clock(1000.9, 500, 1001))).flat();
  assert.deepEqual(
    lines.map(({ at }) => at),
    [1000, 1000, 1001],
  );
});

test('a line that just fits is one piece, a byte more makes two', async () => {
  for (const isOneChunk of [true, false]) {
    for (const [length, pieces] of [
      [MAX_RECORD_BYTES, [MAX_RECORD_BYTES]],
      [MAX_RECORD_BYTES + 1, [MAX_RECORD_BYTES, 1]],
      [2 * MAX_RECORD_BYTES, [MAX_RECORD_BYTES, MAX_RECORD_BYTES]],
    ] as const) {
      const line = 'x'.repeat(length);
      const lines = (await batches(isOneChunk ? chunksOf(`${line}\nrest`) : chunksOf(line, '\n', 'rest'))).flat();
      assert.deepEqual(
        lines.map(({ bytes, more }) => [bytes.length, more]),
        [...pieces.map((size, index) => [size, index < pieces.length - 1]), [4, false]],
      );
    }
  }
});

test('a long line without its newline ends with a piece that says so', async () => {
  const lines = (await batches(chunksOf('x'.repeat(MAX_RECORD_BYTES + 1)))).flat();
  assert.deepEqual(
    lines.map(({ more }) => more),
    [true, false],
  );
});

test('long lines are cut between characters', async () => {
  for (const character of ['é', '日', '😀']) {
    for (const offset of ['', 'a', 'ab', 'abc']) {
      const line = offset + character.repeat(5000);
      const pieces = (await batches(chunksOf(`${line}\n`))).flat();
      assert.ok(pieces.length > 1 && pieces.every(({ bytes }) => isUtf8(bytes) && bytes.length <= MAX_RECORD_BYTES));
      assert.equal(joined(pieces).toString(), `${line}\n`);
    }
  }
});

test('long lines that are no text are cut where they must be', async () => {
  for (const byte of [0x80, 0xbf, 0xc3, 0xf0, 0xff]) {
    const line = Buffer.alloc(2 * MAX_RECORD_BYTES + 5, byte);
    const pieces = (await batches(chunksOf(line))).flat();
    assert.ok(pieces.every(({ bytes }) => bytes.length <= MAX_RECORD_BYTES && bytes.length > 0));
    assert.deepEqual(Buffer.concat(pieces.map(({ bytes }) => bytes)), line);
  }
});

test('all pieces of a line have the time of the first', async () => {
  const lines = (
    await batches(
      chunksOf('a\nx', 'x'.repeat(MAX_RECORD_BYTES), 'x'.repeat(MAX_RECORD_BYTES), 'x\nb\n'),
      clock(10, 20, 30, 40),
    )
  ).flat();
  assert.deepEqual(
    lines.map(({ at, more }) => [at, more]),
    [
      [10, false],
      [20, true],
      [20, true],
      [20, false],
      [40, false],
    ],
  );
});

test('however the input is cut into chunks, its lines are the same', async () => {
  const random = seededRandom(5);
  for (let round = 0; round < 30; round += 1) {
    const input = randomInput(random);
    const whole = (await batches(chunksOf(input))).flat();
    const cut = (await batches(randomChunks(random, input))).flat();
    assert.deepEqual(cut, whole);
    const end = input.length === 0 || input.at(-1) === 0x0a ? '' : '\n';
    assert.deepEqual(joined(whole), Buffer.concat([input, Buffer.from(end)]));
  }
});

function randomInput(random: Random): Buffer {
  const parts = Array.from({ length: random.below(30) }, () => [
    randomLine(random, random.pick([0, 20, 20, 300, 20_000])),
    Buffer.from('\n'),
  ]);
  return Buffer.concat([...parts.flat(), randomLine(random, random.pick([0, 0, 10, 9000]))]);
}

async function* randomChunks(random: Random, input: Buffer): AsyncGenerator<Uint8Array> {
  const most = random.pick([3, 100, 5000, 70_000]);
  for (let start = 0; start < input.length; ) {
    const end = start + random.below(most + 1);
    yield input.subarray(start, end);
    start = end;
  }
}

test('a line of 50 MB without a newline passes in bounded memory', async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let chunk = 0; chunk < 800; chunk += 1) yield Buffer.alloc(65_536, 'x');
  }
  let bytes = 0;
  let pieces = 0;
  let most = 0;
  for await (const batch of splitLines(source(), { now: () => 1 })) {
    most = Math.max(most, batch.length);
    pieces += batch.length;
    for (const piece of eachLine(batch)) bytes += piece.bytes.length;
  }
  assert.equal(bytes, 800 * 65_536);
  assert.equal(pieces, Math.ceil(bytes / MAX_RECORD_BYTES));
  assert.ok(most <= 10);
});

test('a long line that comes byte by byte takes time in proportion to its length', async () => {
  const byte = Buffer.from('x');
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 100_000; count += 1) yield byte;
  }
  let pieces = 0;
  for await (const batch of splitLines(source(), { now: () => 1 })) pieces += batch.length;
  assert.equal(pieces, Math.ceil(100_000 / MAX_RECORD_BYTES));
});

test('a reader that stops closes the source', async () => {
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('a\n');
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of splitLines(source(), { now: () => 1 })) break;
  assert.ok(isClosed);
});

test('an error of the source is thrown, after the lines before it', async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a\nb');
    throw new Error('EIO');
  }
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const batch of splitLines(source(), { now: () => 1 }))
      seen.push(...batch.map(({ bytes }) => `${bytes}`));
  }, /EIO/);
  assert.deepEqual(seen, ['a']);
});
