/**
 * Bytes to lines with the time at which they were read. Knows nothing of runs, numbers and messages.
 *
 * The package split2 would decode the bytes to strings, and what is not UTF-8 would be lost: hence a splitter of our own.
 */
import { MAX_RECORD_BYTES } from '../message/limits.ts';
import type { Stretch } from '../message/record-list.ts';
import { characterCut } from './utf8.ts';

/**
 * Lines that were read at once, or a piece of a line that is longer than MAX_RECORD_BYTES. `bytes` may be a view into the
 * chunk they came in. `at` is when their ends were read (of a long line: when its first piece was full).
 */
export type RawLines = Omit<Stretch, 'stream'>;

export interface SplitOptions {
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number;
}

const LF = 0x0a;

/**
 * The lines of `source`: one array for each chunk that ends at least one of them, so that nothing is awaited, and no
 * object made, for a line. Lines end at \n only, and what follows the last one is a line too. Memory stays bounded
 * however long a line is.
 */
export async function* splitLines(
  source: AsyncIterable<Uint8Array>,
  options: SplitOptions,
): AsyncGenerator<RawLines[], undefined> {
  const cutter = new LineCutter();
  let at = 0;
  for await (const chunk of source) {
    at = Math.max(at, Math.floor(options.now()));
    const lines = cutter.cut(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), at);
    if (lines.length > 0) yield lines;
  }
  const rest = cutter.end(at);
  if (rest.length > 0) yield rest;
}

/** The lines of one stream of bytes, chunk by chunk. */
export class LineCutter {
  /** The line that has no end yet. One byte more than a record takes: the proof that its line goes on. */
  readonly #held = Buffer.allocUnsafe(MAX_RECORD_BYTES + 1);
  #heldBytes = 0;
  /** The time of the pieces that were cut off that line. */
  #pieceAt: number | undefined;

  cut(chunk: Buffer, at: number): RawLines[] {
    const lines: RawLines[] = [];
    let start = 0;
    while (start < chunk.length) {
      if (this.#heldBytes === 0) start = this.#cutShort(chunk, start, at, lines);
      if (start === chunk.length) break;
      const newline = chunk.indexOf(LF, start);
      const end = newline === -1 ? chunk.length : newline;
      this.#hold(chunk.subarray(start, end), at, lines);
      if (newline !== -1) lines.push(this.#endHeld(at));
      start = newline === -1 ? end : end + 1;
    }
    return lines;
  }

  /** What is left when the input has ended: at most one line. */
  end(at: number): RawLines[] {
    return this.#heldBytes === 0 ? [] : [this.#endHeld(at)];
  }

  /** Takes lines that end in the chunk, up to one that is too long. @returns where the next one begins */
  #cutShort(chunk: Buffer, start: number, at: number, lines: RawLines[]): number {
    const ends: number[] = [];
    let next = start;
    for (;;) {
      const end = chunk.indexOf(LF, next);
      if (end === -1 || end - next > MAX_RECORD_BYTES) break;
      ends.push(end - start);
      next = end + 1;
    }
    if (ends.length > 0) lines.push({ bytes: chunk.subarray(start, next - 1), ends, at, more: false });
    return next;
  }

  /** Every byte is copied once, so a line that comes byte by byte costs no more than one that comes at once. */
  #hold(bytes: Buffer, at: number, pieces: RawLines[]): void {
    let taken = 0;
    while (taken < bytes.length) {
      const copied = bytes.copy(this.#held, this.#heldBytes, taken);
      taken += copied;
      this.#heldBytes += copied;
      if (this.#heldBytes > MAX_RECORD_BYTES) {
        this.#pieceAt ??= at;
        pieces.push(oneLine(this.#take(characterCut(this.#held, MAX_RECORD_BYTES)), this.#pieceAt, true));
      }
    }
  }

  #endHeld(at: number): RawLines {
    const line = oneLine(this.#take(this.#heldBytes), this.#pieceAt ?? at, false);
    this.#pieceAt = undefined;
    return line;
  }

  #take(count: number): Buffer {
    const bytes = Buffer.from(this.#held.subarray(0, count));
    this.#held.copyWithin(0, count, this.#heldBytes);
    this.#heldBytes -= count;
    return bytes;
  }
}

function oneLine(bytes: Buffer, at: number, more: boolean): RawLines {
  return { bytes, ends: [bytes.length], at, more };
}
