/**
 * How a block's payload became its `data`, by the name that its `encoding` gives. Brotli is what is written: on mixed
 * logs it takes a tenth less than deflate, and less time; in base32768 a message holds 2.5 times as much of it as in
 * base64. The others are read.
 */
import { brotliCompressSync, brotliDecompressSync, constants, inflateRawSync } from 'node:zlib';
import { freeMemory } from '../free-memory.ts';
import { fromBase32768, toBase32768 } from './base32768.ts';
import { MAX_BLOCK_BYTES } from './limits.ts';

export const ENCODINGS = ['brotli-base32768', 'brotli', 'deflate-raw'] as const;
export type Encoding = (typeof ENCODINGS)[number];
/** The one that is written. */
export const ENCODING: Encoding = ENCODINGS[0];

/** How much work compression is worth: `fast` where lines rush, `small` where there is time. */
export type Effort = 'fast' | 'small';

/** On mixed logs `small` makes blocks a sixth smaller, and takes four times as long. */
const QUALITIES: Readonly<Record<Effort, number>> = { fast: 1, small: 5 };
/** 2^18 bytes: more than a block of ordinary lines has. */
const WINDOW_BITS = 18;

/** Almost all blocks unpack to less, and then at once, into memory of this size. */
const CHUNK_BYTES = 256 * 1024;

export function compress(payload: Buffer, effort: Effort): Buffer {
  return brotliCompressSync(payload, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITIES[effort],
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: payload.length,
    },
  });
}

/** @throws Error of zlib when the data is broken, or unpacks to more than MAX_BLOCK_BYTES */
export function uncompress(encoding: Encoding, data: Uint8Array): Buffer {
  const unpack = encoding === 'deflate-raw' ? inflateRawSync : brotliDecompressSync;
  const payload = unpack(data, { maxOutputLength: MAX_BLOCK_BYTES, chunkSize: CHUNK_BYTES });
  if (payload.length >= CHUNK_BYTES / 2) return payload;
  // Whoever keeps many small ones must not keep much more memory than they take.
  const copy = Buffer.from(payload);
  freeMemory(payload);
  return copy;
}

/** What `data` stands for; undefined when it is no text of its encoding. Base64 is read as Node does, which skips. */
export function dataBytes(encoding: unknown, text: string): Buffer | undefined {
  return encoding === ENCODING ? fromBase32768(text) : Buffer.from(text, 'base64');
}

/** @param encoding whatever a message says; what is not known here is base64 */
export function dataText(encoding: unknown, bytes: Buffer): string {
  return encoding === ENCODING ? toBase32768(bytes) : bytes.toString('base64');
}

/** Whether no other text stands for the same bytes. */
export function isOnlyText(encoding: unknown, text: string, bytes: Buffer): boolean {
  return encoding === ENCODING || dataText(encoding, bytes) === text;
}
