/** Text files that are too large to be held in memory: their lines, and a hash of them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;
const LF = 0x0a;

export interface HashedTexts {
  /** SHA-256, in hex. */
  readonly hash: string;
  readonly lines: number;
}

export interface TextsOptions {
  /** So much is left out of every line: what `log` prints before the text, when all lines have the same labels. */
  readonly prefixBytes?: number;
  /** So many lines at the beginning are left out. */
  readonly skipLines?: number;
}

/**
 * The file's lines, many at a time, each with its line feed.
 * @throws when the last line does not end
 */
export async function* textsOf(file: string, { prefixBytes = 0, skipLines = 0 }: TextsOptions = {}) {
  let rest = Buffer.alloc(0);
  let toSkip = skipLines;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    const texts: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      if (toSkip > 0) toSkip -= 1;
      else texts.push(bytes.subarray(start + prefixBytes, end + 1));
      start = end + 1;
    }
    yield texts;
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) throw new Error(`the last line of ${file} does not end`);
}

/** @returns of the files' lines, as if they were one file */
export async function hashTexts(files: readonly string[], options?: TextsOptions): Promise<HashedTexts> {
  const hash = createHash('sha256');
  let lines = 0;
  for (const file of files) {
    for await (const texts of textsOf(file, options)) {
      lines += texts.length;
      hash.update(Buffer.concat(texts));
    }
  }
  return { hash: hash.digest('hex'), lines };
}
