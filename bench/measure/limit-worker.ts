/**
 * How fast one process does the work that no design can leave out, with these lines: compress them into blocks, sign,
 * hash and verify the blocks' messages. Prints lines a second by kind of work, as JSON.
 * Arguments: a directory for a key pair, a file of lines.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { writeNewIdentity } from '../../src/config/identity.ts';
import { machinePaths } from '../../src/config/paths.ts';
import { compress, dataText, ENCODING, uncompress } from '../../src/message/block-encodings.ts';
import { encode, messageId, sign, signatureJob } from '../../src/peer/engines/sqlite/classic.ts';
import { isValid } from '../../src/peer/engines/sqlite/signature-job.ts';

/** Of a full block: 8192 UTF-16 units, less the labels, in base32768. */
const BLOCK_BYTES = 14_000;
const LF = 0x0a;

const [dir, file] = process.argv.slice(2) as [string, string];
mkdirSync(dir, { recursive: true, mode: 0o700 });
const identity = writeNewIdentity(machinePaths(dir, { HOME: dir }));
const bytes = readFileSync(file);
const lines = bytes.reduce((count, byte) => (byte === LF ? count + 1 : count), 0);

/** The input in pieces that are compressed to a block each. */
function cutIntoBlocks(): Buffer[] {
  const pieces: Buffer[] = [];
  let pieceBytes = BLOCK_BYTES * 6;
  for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) {
    let piece = bytes.subarray(at, at + pieceBytes);
    let packed = compress(piece, 'fast').length;
    while (packed > BLOCK_BYTES) {
      piece = piece.subarray(0, Math.floor((piece.length * BLOCK_BYTES * 0.98) / packed));
      packed = compress(piece, 'fast').length;
    }
    pieces.push(piece);
    pieceBytes = Math.floor((piece.length * BLOCK_BYTES) / packed);
  }
  return pieces;
}

/** Done twice: the first time counts for nothing. @returns lines a second, and what came out */
function timed<In, Out>(items: readonly In[], work: (item: In, index: number) => Out): [number, Out[]] {
  items.forEach(work);
  const started = performance.now();
  const results = items.map(work);
  return [lines / ((performance.now() - started) / 1000), results];
}

const pieces = cutIntoBlocks();
const [brotli, packed] = timed(pieces, (piece) => compress(piece, 'fast'));
const [deflate] = timed(pieces, (piece) => deflateRawSync(piece, { level: 1 }));
const [unpack, unpacked] = timed(packed, (data) => uncompress(ENCODING, data));
const unsigned = packed.map((data, index) => ({
  previous: messageId(String(index)),
  sequence: index + 1,
  author: identity.id,
  timestamp: index,
  hash: 'sha256' as const,
  content: { type: 'log-block', source: 'laptop', encoding: ENCODING, data: dataText(ENCODING, data) },
}));
const [signing, signed] = timed(unsigned, (value) => sign(value, encode(value), identity));
const [hashing] = timed(signed, ({ text }) => messageId(text));
const [verifying, verdicts] = timed(signed, ({ text, value }) => isValid(signatureJob(text, value)));
if (!Buffer.concat(unpacked).equals(bytes)) throw new Error('other bytes were unpacked than were compressed');
if (!verdicts.every(Boolean)) throw new Error('a signature was not found good');
const rates = {
  'Brotli, as blocks have it': brotli,
  'deflate, level 1': deflate,
  unpack,
  'encode and sign': signing,
  'SHA-256': hashing,
  verify: verifying,
  'Brotli, sign and hash together': 1 / (1 / brotli + 1 / signing + 1 / hashing),
};
process.stdout.write(`${JSON.stringify({ rates, messages: signed.length })}\n`);
