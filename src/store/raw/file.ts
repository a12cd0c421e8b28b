/**
 * The pages of a SQLite file with its WAL, read without SQLite, for a file that SQLite refuses. Knows the format
 * (https://sqlite.org/fileformat2.html), not what is stored.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors.ts';

export interface RawFile {
  /** Pages are numbered from 1. */
  readonly pages: number;
  /** Bytes of a page that SQLite uses. */
  readonly usableBytes: number;
  /** @returns undefined for a page that is not there */
  page(number: number): Buffer | undefined;
  close(): void;
}

/** The first byte of a page that holds rows of a table. */
export const TABLE_LEAF = 0x0d;

const MAGIC = Buffer.from('SQLite format 3\0');
/** Of a store, and of one that an older ssblog made. */
const PAGE_BYTES = 2048;
const OLDER_PAGE_BYTES = 4096;
/** Pages are looked at up to here, where no header tells how large they are. */
const GUESS_BYTES = 32 * 1024 * 1024;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says in which byte order checksums were made. */
const WAL_MAGIC = 0x377f0682;

/** @throws a system error when the file cannot be opened or read */
export function openRaw(file: string): RawFile {
  const main = openSync(file, 'r');
  const wal = openIfThere(`${file}-wal`);
  const header = Buffer.alloc(100);
  readSync(main, header, 0, header.length, 0);
  const isKnown = header.subarray(0, MAGIC.length).equals(MAGIC);
  const walHeader = wal === undefined ? undefined : readWalHeader(wal);
  const pageBytes =
    (isKnown ? pageSize(header.readUInt16BE(16)) : undefined) ?? walHeader?.pageBytes ?? guessPageBytes(main);
  const reserved = isKnown ? header.readUInt8(20) : 0;
  const changed =
    wal !== undefined && walHeader?.pageBytes === pageBytes ? changedPages(wal, walHeader) : new Map<number, number>();
  const pages = Math.max(Math.floor(fstatSync(main).size / pageBytes), ...changed.keys());
  return {
    pages,
    usableBytes: pageBytes - reserved,
    page(number) {
      if (number < 1 || number > pages) return undefined;
      const buffer = Buffer.alloc(pageBytes);
      const inWal = changed.get(number);
      if (inWal !== undefined && wal !== undefined) readSync(wal, buffer, 0, pageBytes, inWal);
      else readSync(main, buffer, 0, pageBytes, (number - 1) * pageBytes);
      return buffer;
    },
    close() {
      closeSync(main);
      if (wal !== undefined) closeSync(wal);
    },
  };
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** 1 stands for 65536, which does not fit the field. */
function pageSize(field: number): number | undefined {
  const bytes = field === 1 ? 65_536 : field;
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0 ? bytes : undefined;
}

/** In a file of larger pages hardly anything begins in their midst; in one of smaller ones half of all pages do. */
function guessPageBytes(main: number): number {
  const bytes = Buffer.alloc(Math.min(fstatSync(main).size, GUESS_BYTES));
  readSync(main, bytes, 0, bytes.length, 0);
  const begun = (from: number) => {
    let count = 0;
    for (let at = from; at < bytes.length; at += OLDER_PAGE_BYTES) if (bytes[at] === TABLE_LEAF) count += 1;
    return count;
  };
  return begun(PAGE_BYTES) * 4 > begun(0) ? PAGE_BYTES : OLDER_PAGE_BYTES;
}

interface WalHeader {
  readonly pageBytes: number;
  readonly isBigEndian: boolean;
  readonly salts: Buffer;
  readonly checksum: Checksum;
}

type Checksum = readonly [number, number];

function readWalHeader(wal: number): WalHeader | undefined {
  const header = Buffer.alloc(WAL_HEADER_BYTES);
  if (readSync(wal, header, 0, header.length, 0) < header.length) return undefined;
  const magic = header.readUInt32BE(0);
  const pageBytes = header.readUInt32BE(8);
  if ((magic & ~1) >>> 0 !== WAL_MAGIC || pageSize(pageBytes === 65_536 ? 1 : pageBytes) === undefined)
    return undefined;
  const isBigEndian = (magic & 1) === 1;
  const checksum = addChecksum([0, 0], header.subarray(0, 24), isBigEndian);
  if (!isChecksum(checksum, header, 24)) return undefined;
  return { pageBytes, isBigEndian, salts: Buffer.from(header.subarray(16, 24)), checksum };
}

/**
 * Frames count up to the last whole transaction, as for SQLite: what stands behind it may be the rest of an older
 * one, whose messages were made a second time.
 * @returns where the newest content of each page begins in the WAL
 */
function changedPages(wal: number, { pageBytes, isBigEndian, salts, checksum }: WalHeader): Map<number, number> {
  const committed = new Map<number, number>();
  let pending: [page: number, offset: number][] = [];
  let sum = checksum;
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageBytes);
  for (let at = WAL_HEADER_BYTES; readSync(wal, frame, 0, frame.length, at) === frame.length; at += frame.length) {
    if (!frame.subarray(8, 16).equals(salts)) break;
    sum = addChecksum(sum, frame.subarray(0, 8), isBigEndian);
    sum = addChecksum(sum, frame.subarray(FRAME_HEADER_BYTES), isBigEndian);
    if (!isChecksum(sum, frame, 16)) break;
    pending.push([frame.readUInt32BE(0), at + FRAME_HEADER_BYTES]);
    const isCommit = frame.readUInt32BE(4) > 0;
    if (!isCommit) continue;
    for (const [page, offset] of pending) committed.set(page, offset);
    pending = [];
  }
  return committed;
}

function addChecksum([first, second]: Checksum, bytes: Buffer, isBigEndian: boolean): Checksum {
  let [a, b] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
    b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}

function isChecksum([a, b]: Checksum, bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;
}
