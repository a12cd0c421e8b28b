/** muxrpc's frames while they come: one that is too long is refused by its head, before any of it is kept. */
import type { PullSource } from './ssb/types.ts';

/** One byte of flags, four of the body's length, four of the call's number. */
const HEAD_BYTES = 9;
const LENGTH_AT = 1;

/** Follows frames through chunks that are cut anywhere. */
export class FrameGuard {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #bodyBytesLeft = 0;

  /** @returns the length in bytes that the longest frame which begins in this chunk says of itself; 0 when none does */
  longest(chunk: Buffer): number {
    let longest = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#bodyBytesLeft > 0) {
        const skipped = Math.min(this.#bodyBytesLeft, chunk.length - at);
        this.#bodyBytesLeft -= skipped;
        at += skipped;
        continue;
      }
      const copied = chunk.copy(this.#head, this.#headBytes, at, at + HEAD_BYTES - this.#headBytes);
      this.#headBytes += copied;
      at += copied;
      if (this.#headBytes < HEAD_BYTES) break;
      this.#headBytes = 0;
      this.#bodyBytesLeft = this.#head.readUInt32BE(LENGTH_AT);
      longest = Math.max(longest, this.#bodyBytesLeft);
    }
    return longest;
  }
}

/** @param refuse called with the length of a frame that is longer, once; it ends the stream */
export function guardFrames(
  read: PullSource<Buffer>,
  maxBytes: number,
  refuse: (length: number) => void,
): PullSource<Buffer> {
  const guard = new FrameGuard();
  return (abort, callback) =>
    read(abort, (end, chunk) => {
      const length = end || chunk === undefined ? 0 : guard.longest(chunk);
      if (length <= maxBytes) {
        callback(end, chunk);
        return;
      }
      refuse(length);
      callback(new Error('a frame is too long'));
    });
}
