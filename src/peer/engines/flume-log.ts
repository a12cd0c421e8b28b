/**
 * Reads flume's log by itself, to find damage that would end who reads it through flume. Knows how flumelog-offset 3
 * frames its records: length, record, length again, and where the file ends with it, all numbers of 32 bits.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { encode, messageId } from './sqlite/classic.ts';

const NUMBER_BYTES = 4;
/** Around each record. */
const FRAME_BYTES = 3 * NUMBER_BYTES;
const CHUNK_BYTES = 1 << 20;

export interface FlumeDamage {
  /** Up to here the log is sound: bytes from its beginning. */
  readonly soundBytes: number;
  readonly totalBytes: number;
}

/**
 * A generator of the bytes looked at so far. A record that ends beyond the end of the file is no damage: flume cuts it
 * off by itself, unless it is the first one.
 * @throws a system error when the file cannot be read
 */
export function* findFlumeDamage(file: string): Generator<number, FlumeDamage | undefined> {
  const handle = openSync(file, 'r');
  try {
    const totalBytes = fstatSync(handle).size;
    let chunk = Buffer.alloc(0);
    let chunkStart = 0;
    /** Bytes of the file, read a good deal at a time. */
    const read = (start: number, bytes: number): Buffer => {
      const isBefore = start < chunkStart;
      if (isBefore || start + bytes > chunkStart + chunk.length) {
        chunkStart = isBefore ? Math.max(0, start + bytes - CHUNK_BYTES) : start;
        chunk = Buffer.alloc(Math.min(Math.max(CHUNK_BYTES, bytes), totalBytes - chunkStart));
        readSync(handle, chunk, 0, chunk.length, chunkStart);
      }
      return chunk.subarray(start - chunkStart, start - chunkStart + bytes);
    };
    for (let at = 0; at < totalBytes; ) {
      const isTorn = at + NUMBER_BYTES > totalBytes;
      const length = isTorn ? 0 : read(at, NUMBER_BYTES).readUInt32BE(0);
      const end = at + length + FRAME_BYTES;
      const isFirst = at === 0;
      if (isTorn || end > totalBytes)
        return isFirst || !isTornTail(read, at, totalBytes) ? { soundBytes: at, totalBytes } : undefined;
      const frame = read(at, length + FRAME_BYTES);
      const isFramed =
        frame.readUInt32BE(NUMBER_BYTES + length) === length && frame.readUInt32BE(2 * NUMBER_BYTES + length) === end;
      if (!isFramed || !isRecord(frame.subarray(NUMBER_BYTES, NUMBER_BYTES + length)))
        return { soundBytes: at, totalBytes };
      const before = at;
      at = end;
      if (Math.floor(before / CHUNK_BYTES) < Math.floor(at / CHUNK_BYTES)) yield at;
    }
    return undefined;
  } finally {
    closeSync(handle);
  }
}

/**
 * What begins with a wrong length in the middle looks the same as what was cut off at the end. Flume looks backward
 * from the end for a number that says where it stands: where it finds one, it takes all before it for sound.
 */
function isTornTail(read: (start: number, bytes: number) => Buffer, at: number, totalBytes: number): boolean {
  for (let end = totalBytes; end > at + NUMBER_BYTES; end--) {
    if (read(end - NUMBER_BYTES, NUMBER_BYTES).readUInt32BE(0) === end) return false;
  }
  return true;
}

/** A deleted one is all zeros. Of any other the id says whether a single bit is not what it was. */
function isRecord(bytes: Buffer): boolean {
  if (bytes.length > 0 && bytes.every((byte) => byte === 0)) return true;
  try {
    const record = JSON.parse(bytes.toString('utf8')) as { key?: unknown; value?: unknown } | null;
    return typeof record?.value === 'object' && record.value !== null && messageId(encode(record.value)) === record.key;
  } catch {
    return false; // no JSON
  }
}
