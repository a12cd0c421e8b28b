import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toBase32768 } from '../../../src/message/base32768.ts';
import { type Codec, type CodecLibrary, frameCodec, textOf } from '../../../src/peer/frame-codec.ts';
import { requireOf } from '../../../src/peer/ssb/stock.ts';
import type { PullSource } from '../../../src/peer/ssb/types.ts';
import { seededRandom } from '../../helpers/random.ts';

const ofMuxrpc = requireOf('muxrpc', requireOf('secret-stack', requireOf('ssb-server')));
const library = ofMuxrpc('packet-stream-codec') as Codec & CodecLibrary;
const codec = frameCodec(library, requireOf('packet-stream-codec', ofMuxrpc)('pull-reader'));

function sourceOf<T>(items: readonly T[]): PullSource<T> {
  let next = 0;
  return (abort, callback) => {
    if (abort || next === items.length) return callback(abort || true);
    next += 1;
    callback(null, items[next - 1]);
  };
}

/** All that a source gives at once, and how it ends. */
function drain<T>(read: PullSource<T>): { items: T[]; end: unknown } {
  const items: T[] = [];
  let end: unknown;
  while (end === undefined) {
    let isAnswered = false;
    read(null, (over, item) => {
      isAnswered = true;
      if (over) end = over;
      else items.push(item as T);
    });
    assert.ok(isAnswered);
  }
  return { items, end };
}

function encode(packets: readonly unknown[]): Buffer {
  return Buffer.concat(drain(codec({ source: sourceOf(packets), sink: () => undefined }).source).items);
}

function decode(bytes: Buffer, by: Codec, cut = bytes.length): { items: unknown[]; end: unknown } {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += cut) chunks.push(bytes.subarray(at, at + cut));
  let result: { items: unknown[]; end: unknown } | undefined;
  const sink = (read: PullSource<unknown>) => {
    result = drain(read);
  };
  by({ source: sourceOf([]), sink }).sink(sourceOf(chunks));
  return result ?? assert.fail();
}

const random = seededRandom(12);
const PACKETS: readonly unknown[] = [
  { req: 1, stream: true, end: false, value: { name: ['a'], args: [{ text: 'ä € 😀' }] } },
  { req: -2, stream: false, end: false, value: 'plain' },
  { req: -2, stream: false, end: true, value: 'räksmörgås \ufeff \0' },
  { req: 3, stream: true, end: false, value: random.bytes(300) },
  { req: 3, stream: true, end: false, value: { data: toBase32768(random.bytes(14_000)) } },
  { req: 3, stream: true, end: true, value: true },
  'GOODBYE',
];

for (const cut of [7, 64, 4096, 1e6]) {
  test(`frames in chunks of ${cut} bytes are what the library reads in them`, () => {
    const bytes = encode(PACKETS);
    const { items, end } = decode(bytes, codec, cut);
    assert.deepEqual({ items, end }, decode(bytes, library));
    assert.equal(items.length, PACKETS.length);
  });
}

/** What a reader of the frames is told that reads some, and gives up or reads on behind the end. */
function trace(by: Codec, bytes: Buffer, steps: readonly (Error | null)[]): unknown[] {
  const told: unknown[] = [];
  const sink = (read: PullSource<unknown>) => {
    for (const abort of steps) read(abort, (end, packet) => told.push(end || packet));
  };
  const source = sourceOf([bytes]);
  const asked: unknown[] = [];
  by({ source: sourceOf([]), sink }).sink((abort, callback) => {
    asked.push(abort);
    source(abort, callback);
  });
  return [told, asked];
}

for (const [title, steps] of [
  ['reads behind the goodbye', Array(PACKETS.length + 2).fill(null)],
  ['gives up at once', [new Error('enough')]],
  ['gives up after two frames', [null, null, new Error('enough'), null]],
] as const) {
  test(`a reader that ${title} is told what the library tells it, and so is the source`, () => {
    const bytes = encode(PACKETS);
    assert.deepEqual(trace(codec, bytes, steps), trace(library, bytes, steps));
  });
}

const BROKEN: readonly [title: string, bytes: Buffer][] = [
  ['JSON that is cut off', Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 1, 0x7b])],
  ['a type that there is not', Buffer.from([3, 0, 0, 0, 1, 0, 0, 0, 1, 0x31])],
  ['a head that is cut off', Buffer.from([2, 0, 0])],
  ['a body that is cut off', Buffer.from([2, 0, 0, 0, 2, 0, 0, 0, 1, 0x31])],
];

for (const [title, bytes] of BROKEN) {
  test(`${title}: the stream ends with an error, as the library's`, () => {
    const { items, end } = decode(bytes, codec);
    assert.deepEqual(items, []);
    assert.ok(end instanceof Error);
    assert.equal(end.message, (decode(bytes, library).end as Error).message);
  });
}

test('any bytes are the text that a Buffer makes of them', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    fc.constantFrom(Buffer.from('\ufeff'), Buffer.of(0xed, 0xa0, 0x80), Buffer.of(0xc0, 0x80), Buffer.from('a')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const bytes = Buffer.concat(pieces);
      assert.equal(textOf(bytes), bytes.toString());
    }),
    { numRuns: 5000 },
  );
});
