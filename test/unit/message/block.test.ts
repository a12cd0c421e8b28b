import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, deflateRawSync, inflateRawSync } from 'node:zlib';
import { fromBase32768 } from '../../../src/message/base32768.ts';
import { decodeBlock, encodeBlock } from '../../../src/message/block.ts';
import { dataBytes, dataText, type Encoding } from '../../../src/message/block-encodings.ts';
import { type LogBlockContent, parseContent } from '../../../src/message/content.ts';
import { LEVELS } from '../../../src/message/level.ts';
import { MAX_BLOCK_BYTES } from '../../../src/message/limits.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import { type Random, randomLine, seededRandom } from '../../helpers/random.ts';

const labels = { run: '01JD', source: 'laptop', destination: 'nas', job: 'nightly' };

function record(fields: Partial<LogRecord>): LogRecord {
  return { line: 1, at: 1000, bytes: Buffer.of(), level: undefined, stream: undefined, more: false, ...fields };
}

function lines(...texts: string[]): LogRecord[] {
  return texts.map((text, index) => record({ line: 1 + index, bytes: Buffer.from(text) }));
}

function randomRecords(random: Random): LogRecord[] {
  const isMixed = random.below(2) === 0;
  const first = 1 + random.below(1e6);
  let at = random.below(2e12);
  return Array.from({ length: 1 + random.below(60) }, (_, index) => {
    at += random.pick([0, 0, 0, 1, 250]);
    return record({
      line: first + index,
      at,
      bytes: randomLine(random, 200),
      level: isMixed ? random.pick([undefined, ...LEVELS]) : 'info',
      stream: isMixed ? random.pick([undefined, 'stdout', 'stderr']) : 'stdout',
      more: random.below(10) === 0,
    });
  });
}

function unpack(content: LogBlockContent): string {
  const data = fromBase32768(content.data);
  assert.ok(data);
  return brotliDecompressSync(data).toString('latin1');
}

/** A content as somebody else may have made it. */
function forged(payload: string, fields: Partial<LogBlockContent> = {}): LogBlockContent {
  return {
    type: 'log-block',
    run: 'r',
    line: 1,
    lines: 2,
    at: [1000, 2000],
    encoding: 'deflate-raw',
    data: deflateRawSync(Buffer.from(payload, 'latin1')).toString('base64'),
    ...fields,
  };
}

/** The same in another encoding. */
function inBrotli(content: LogBlockContent, encoding: Encoding = 'brotli'): LogBlockContent {
  const data = brotliCompressSync(inflateRawSync(Buffer.from(content.data, 'base64')));
  return { ...content, encoding, data: dataText(encoding, data) };
}

test('any records come back as they went', () => {
  const random = seededRandom(3);
  for (let round = 0; round < 300; round += 1) {
    const records = randomRecords(random);
    const parsed = parseContent(JSON.parse(JSON.stringify(encodeBlock(labels, records))));
    assert.equal(parsed.kind, 'known');
    assert.deepEqual([...decodeBlock((parsed as { content: LogBlockContent }).content)], records);
  }
});

test('every byte but the newline survives', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a));
  const [decoded] = decodeBlock(encodeBlock(labels, [record({ bytes })]));
  assert.deepEqual(decoded?.bytes, bytes);
});

test('the content names first line, count, times and the worst level', () => {
  const { data, ...content } = encodeBlock(labels, [
    record({ line: 18, at: 1000, level: 'info' }),
    record({ line: 19, at: 1000, level: 'warning' }),
    record({ line: 20, at: 1771 }),
  ]);
  assert.deepEqual(content, {
    type: 'log-block',
    source: 'laptop',
    destination: 'nas',
    job: 'nightly',
    run: '01JD',
    line: 18,
    lines: 3,
    at: [1000, 1771],
    level: 'warning',
    encoding: 'brotli-base32768',
  });
});

test('what is absent leaves no key', () => {
  const content = encodeBlock({ run: 'r', source: 's' }, lines('a'));
  assert.deepEqual(Object.keys(content), ['type', 'source', 'run', 'line', 'lines', 'at', 'encoding', 'data']);
});

test('the data unpacks to what the format says', () => {
  assert.equal(unpack(encodeBlock(labels, lines('a', '', 'b'))), '{}\na\n\nb\n');
  const uniform = lines('a', 'b').map((line) => ({ ...line, level: 'info' as const, stream: 'stdout' as const }));
  assert.equal(unpack(encodeBlock(labels, uniform)), '{"levels":"6","streams":"o"}\na\nb\n');
  const mixed = [
    record({ at: 1000, level: 'err', stream: 'stderr' }),
    record({ at: 1000, more: true }),
    record({ at: 1005, stream: 'stdout' }),
  ];
  assert.equal(
    unpack(encodeBlock(labels, mixed)),
    '{"times":[2,5,1],"levels":"3--","streams":"e-o","more":[1]}\n\n\n\n',
  );
});

test('a caller that breaks the rules is told so', () => {
  assert.throws(() => encodeBlock(labels, []), /needs records/);
  assert.throws(() => encodeBlock(labels, lines('a\nb')), /newline/);
  assert.throws(() => encodeBlock(labels, [record({ bytes: Buffer.alloc(MAX_BLOCK_BYTES) })]), /readers unpack/);
});

test('a block as large as readers unpack is read', () => {
  const bytes = Buffer.alloc(MAX_BLOCK_BYTES - '{}\n\n'.length, 'x');
  const [decoded] = decodeBlock(encodeBlock(labels, [record({ bytes })]));
  assert.equal(decoded?.bytes.length, bytes.length);
});

test('all encodings are read', () => {
  const content = forged('{}\na\nb\n');
  const records = lines('a', 'b');
  assert.deepEqual([...decodeBlock(content)], records);
  assert.deepEqual([...decodeBlock(inBrotli(content))], records);
  assert.deepEqual([...decodeBlock(inBrotli(content, 'brotli-base32768'))], records);
});

test('records that lie side by side in memory are told from those that merely seem to', () => {
  const memory = Buffer.from('one\ntwo\nthree|four');
  const pieces = [memory.subarray(0, 3), memory.subarray(4, 7), memory.subarray(8, 13), memory.subarray(14)];
  const records = pieces.map((bytes, index) => record({ line: 1 + index, bytes }));
  assert.equal(unpack(encodeBlock(labels, records)), '{}\none\ntwo\nthree\nfour\n');
});

test('unknown fields of the header are ignored', () => {
  assert.equal([...decodeBlock(forged('{"new":1}\na\nb\n'))].length, 2);
});

test('a million empty lines in one message are read one by one', () => {
  const lines = MAX_BLOCK_BYTES - 3;
  const before = process.memoryUsage().heapUsed;
  let last: LogRecord | undefined;
  let most = 0;
  for (const decoded of decodeBlock(forged(`{}\n${'\n'.repeat(lines)}`, { lines }))) {
    last = decoded;
    if (decoded.line % 100_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
  }
  assert.equal(last?.line, lines);
  assert.ok(most < 100e6, `${most} bytes`);
});

const REFUSED: readonly [title: string, content: LogBlockContent][] = [
  ['a deflate bomb', forged(`{}\n${'x'.repeat(MAX_BLOCK_BYTES)}\n`, { lines: 1 })],
  ['a Brotli bomb', inBrotli(forged(`{}\n${'x'.repeat(MAX_BLOCK_BYTES)}\n`, { lines: 1 }))],
  ['data that is no deflate stream', forged('', { data: 'AAECAwQFBgc=' })],
  ['data that is no Brotli stream', forged('', { data: 'AAECAwQFBgc=', encoding: 'brotli' })],
  ['data that is no base32768', forged('', { data: 'AAECAwQFBgc=', encoding: 'brotli-base32768' })],
  ['base64 of Brotli as base32768', { ...inBrotli(forged('{}\na\nb\n')), encoding: 'brotli-base32768' }],
  ['data that is cut off', forged('', { data: forged('{}\na\nb\n').data.slice(0, 8) })],
  [
    'Brotli data that is cut off',
    forged('', { data: inBrotli(forged('{}\na\nb\n')).data.slice(0, 8), encoding: 'brotli' }),
  ],
  ['no data', forged('', { data: '' })],
  ['no header', forged('')],
  ['a header that is no JSON', forged('{\na\nb\n')],
  ['a header that is no object', forged('[]\na\nb\n')],
  ['too few lines', forged('{}\na\n')],
  ['too many lines', forged('{}\na\nb\nc\n')],
  ['a last line without its newline', forged('{}\na\nb\nc')],
  ['times for too few lines', forged('{"times":[1]}\na\nb\n')],
  ['times for too many lines', forged('{"times":[2,5,1]}\na\nb\n')],
  ['times that end in a step', forged('{"times":[2,5]}\na\nb\n')],
  ['no times', forged('{"times":[]}\na\nb\n')],
  ['an empty run of times', forged('{"times":[0,5,2]}\na\nb\n')],
  ['a time that goes back', forged('{"times":[1,-5,1]}\na\nb\n')],
  ['a time with a fraction', forged('{"times":[1,0.5,1]}\na\nb\n')],
  ['a time behind the announced ones', forged('{"times":[1,1001,1]}\na\nb\n')],
  ['announced times in the wrong order', forged('{}\na\nb\n', { at: [2000, 1000] })],
  ['announced times with a fraction', forged('{}\na\nb\n', { at: [1000.5, 2000] })],
  ['a level that there is not', forged('{"levels":"8"}\na\nb\n')],
  ['too few levels', forged('{"levels":"666"}\na\nb\n')],
  ['a stream that there is not', forged('{"streams":"x"}\na\nb\n')],
  ['too many streams', forged('{"streams":"ooo"}\na\nb\n')],
  ['a long line outside', forged('{"more":[2]}\na\nb\n')],
  ['long lines in disorder', forged('{"more":[1,0]}\na\nb\n')],
  ['numbers beyond what is exact', forged('{}\na\nb\n', { line: Number.MAX_SAFE_INTEGER })],
];

for (const [title, content] of REFUSED) {
  test(`${title}: refused before any record is given out`, () => {
    assert.throws(() => decodeBlock(content), { name: 'SsblogError', code: 'peer' });
  });
}

test('random damage is refused or read, and nothing else', () => {
  const random = seededRandom(4);
  for (let round = 0; round < 500; round += 1) {
    const content = encodeBlock(labels, randomRecords(random));
    const { encoding } = content;
    const data = dataBytes(encoding, content.data) ?? assert.fail();
    data[random.below(data.length)] = random.below(256);
    try {
      const records = [...decodeBlock({ ...content, data: dataText(encoding, data) })];
      assert.equal(records.length, content.lines);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'peer', String(error));
    }
  }
});
