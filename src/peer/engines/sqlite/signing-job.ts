/**
 * Messages of one feed to be signed one after the other, as bytes, so that a thread can do it that knows no messages.
 * Each holds the id of the one before, which there is only when that is signed: the thread puts it in.
 */
import { type Layout, SIGNED_LAYOUT } from './classic.ts';
import { SIGNATURE_BYTES } from './signature-job.ts';

/** What the thread gets. */
export interface SigningJob {
  /** One piece of memory: each message as its length, its text, and room for how it ends when it is signed. */
  readonly texts: ArrayBuffer;
  /** How many are signed (an integer of 32 bits), and behind it for each its signature and its SHA-256. */
  readonly answers: SharedArrayBuffer;
  readonly secretKey: Uint8Array;
  /** The first follows the last one of the job before. */
  readonly goesOn: boolean;
  readonly layout: Layout;
}

const LENGTH_BYTES = 4;
const COUNT_BYTES = 4;
const HASH_BYTES = 32;
const ANSWER_BYTES = SIGNATURE_BYTES + HASH_BYTES;
/** A process that was stopped meanwhile, all of it, finds one wait over when it goes on. */
const MAX_SILENCES = 2;

/**
 * @param texts unsigned messages, encoded, with some id in the place of the one before; the first one with the right one
 * unless it goes on where the job before ends
 */
export function packTexts(texts: readonly string[], secretKey: Uint8Array, goesOn: boolean): SigningJob {
  const room = LENGTH_BYTES + SIGNED_LAYOUT.extraUnits;
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const memory = new ArrayBuffer(sizes.reduce((sum, size) => sum + room + size, 0));
  const bytes = Buffer.from(memory);
  let at = 0;
  texts.forEach((text, index) => {
    const size = sizes[index] as number;
    bytes.writeUInt32LE(size, at);
    bytes.write(text, at + LENGTH_BYTES);
    at += room + size;
  });
  const answers = new SharedArrayBuffer(COUNT_BYTES + texts.length * ANSWER_BYTES);
  return { texts: memory, answers, secretKey, goesOn, layout: SIGNED_LAYOUT };
}

export interface Signed {
  readonly signature: Buffer;
  /** SHA-256 of the message, which is its id. */
  readonly hash: Buffer;
}

/** What the thread has signed, as it comes. */
export class Signatures {
  readonly #count: Int32Array;
  readonly #bytes: Buffer;
  readonly #timeoutMs: number;
  readonly #onFailure: (error: Error) => void;
  #isOver = false;

  /** @param onFailure called when the thread must not be used any more */
  constructor(answers: SharedArrayBuffer, timeoutMs: number, onFailure: (error: Error) => void) {
    this.#count = new Int32Array(answers, 0, 1);
    this.#bytes = Buffer.from(answers, COUNT_BYTES);
    this.#timeoutMs = timeoutMs;
    this.#onFailure = onFailure;
  }

  /** Whether there is nothing to wait for, up to this one. */
  has(index: number): boolean {
    return this.#isOver || this.#signed() > index;
  }

  /** Waits for it. @returns undefined when it does not come: then none of those after it does */
  at(index: number): Signed | undefined {
    let silences = 0;
    for (let count = this.#signed(); count <= index; count = this.#signed()) {
      if (this.#isOver) return undefined;
      if (Atomics.wait(this.#count, 0, count, this.#timeoutMs / MAX_SILENCES) !== 'timed-out') silences = 0;
      else silences += 1;
      if (silences === MAX_SILENCES) this.fail(new Error('it does not answer'));
    }
    const start = index * ANSWER_BYTES;
    return {
      signature: this.#bytes.subarray(start, start + SIGNATURE_BYTES),
      hash: this.#bytes.subarray(start + SIGNATURE_BYTES, start + ANSWER_BYTES),
    };
  }

  /** There is no more to come. */
  end(): void {
    this.#isOver = true;
  }

  /** There is no more to come, and what came was not as it should be. */
  fail(error: Error): void {
    this.end();
    this.#onFailure(error);
  }

  #signed(): number {
    return Atomics.load(this.#count, 0);
  }
}
