/** Rows on a page of a SQLite table: cells, their overflow pages, and the values in them. Pure but for reading pages. */
import { type RawFile, TABLE_LEAF } from './file.ts';

export type RawValue = string | number | Uint8Array | null;

export interface RawRow {
  readonly rowId: number;
  readonly values: readonly RawValue[];
}

const PAGE_HEADER_BYTES = 8;
/** Before the first page's own header stands the file's. */
const FILE_HEADER_BYTES = 100;
/** More than any row of ours has: a length beyond it is damage. */
const MAX_ROW_BYTES = 256 * 1024;

/** @returns how many rows the page says that it has; 0 when it holds none of a table */
export function countRows(page: Buffer, number: number): number {
  const start = number === 1 ? FILE_HEADER_BYTES : 0;
  if (page[start] !== TABLE_LEAF) return 0;
  return Math.min(page.readUInt16BE(start + 3), Math.floor((page.length - start - PAGE_HEADER_BYTES) / 2));
}

/** @returns undefined when there is no whole row at that place */
export function readRow(file: RawFile, page: Buffer, number: number, index: number): RawRow | undefined {
  try {
    const pointers = (number === 1 ? FILE_HEADER_BYTES : 0) + PAGE_HEADER_BYTES;
    const cell = page.readUInt16BE(pointers + 2 * index);
    const [bytes, afterBytes] = readVarint(page, cell);
    const [rowId, start] = readVarint(page, afterBytes);
    if (bytes > MAX_ROW_BYTES) return undefined;
    const payload = readPayload(file, page, start, bytes);
    const values = payload && readValues(payload);
    return values && { rowId, values };
  } catch (error) {
    if (error instanceof RangeError) return undefined; // a number in it points outside of the page
    throw error;
  }
}

/** "B-tree Cell Format": what does not fit the page goes on in a chain of overflow pages. */
function readPayload(file: RawFile, page: Buffer, start: number, bytes: number): Buffer | undefined {
  const usable = file.usableBytes;
  const maxLocal = usable - 35;
  if (bytes <= maxLocal) return page.subarray(start, start + bytes);
  const minLocal = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = minLocal + ((bytes - minLocal) % (usable - 4));
  const local = wanted <= maxLocal ? wanted : minLocal;
  const parts = [page.subarray(start, start + local)];
  let next = page.readUInt32BE(start + local);
  for (let left = bytes - local; left > 0; ) {
    const overflow = file.page(next);
    if (overflow === undefined) return undefined;
    const part = overflow.subarray(4, 4 + Math.min(left, usable - 4));
    parts.push(part);
    left -= part.length;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** "Record Format": serial types, then the values. */
function readValues(payload: Buffer): RawValue[] | undefined {
  const [headerBytes, first] = readVarint(payload, 0);
  const values: RawValue[] = [];
  let at = headerBytes;
  for (let position = first; position < headerBytes; ) {
    const [type, next] = readVarint(payload, position);
    position = next;
    const bytes = type >= 12 ? Math.floor((type - 12) / 2) : (NUMBER_BYTES[type] ?? 0);
    if (at + bytes > payload.length) return undefined;
    values.push(readValue(payload, at, type, bytes));
    at += bytes;
  }
  return values;
}

/** By serial type. */
const NUMBER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
const FLOAT = 7;

function readValue(payload: Buffer, at: number, type: number, bytes: number): RawValue {
  if (type >= 12 && type % 2 === 0) return payload.subarray(at, at + bytes);
  if (type >= 12) return payload.toString('utf8', at, at + bytes);
  if (type === FLOAT) return payload.readDoubleBE(at);
  if (type === 8 || type === 9) return type - 8;
  if (bytes === 8) return Number(payload.readBigInt64BE(at));
  return bytes === 0 ? null : payload.readIntBE(at, bytes);
}

/** Seven bits a byte, the highest says that it goes on; of a ninth byte all eight count. */
function readVarint(bytes: Buffer, start: number): [value: number, next: number] {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes.readUInt8(start + index);
    if (index === 8) return [value * 256 + byte, start + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, start + index + 1];
  }
  return [value, start + 9];
}
