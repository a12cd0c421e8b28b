/**
 * A line in several pieces, put together byte for byte. Its pieces are the run's next records on the same stream;
 * they may be in many messages, which are read when the line is wanted.
 */
import type { LogRecord } from '../message/record.ts';
import type { LabelRow, Store } from '../store/store.ts';
import { unpackRow, visitRecords } from './unpack.ts';

/**
 * A longer line is given out in parts: somebody may send one that has no end, and Node makes no string of more than
 * 512 MB (as JSON a byte takes up to six characters).
 */
const MAX_PART_BYTES = 64 * 1024 * 1024;

export type LineState =
  /** Its last piece is there, or can never come. */
  | 'ended'
  /** More pieces may come. */
  | 'unfinished'
  /** There is more, but what is there must be taken first. */
  | 'full';

export class LongLine {
  readonly #run: number | null;
  #nextNumber: number;
  readonly #stream: LogRecord['stream'];
  #pieces: Buffer[];
  #bytes: number;
  #hasEnded = false;

  constructor({ run }: LabelRow, first: LogRecord) {
    this.#run = run;
    this.#nextNumber = first.line + 1;
    this.#stream = first.stream;
    // Copied, because a piece would keep all that its message unpacked to, for as long as the line waits for its end.
    this.#pieces = [Buffer.from(first.bytes)];
    this.#bytes = first.bytes.length;
  }

  /** What was read and not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of the record that may go on the line. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Shows the line a record that comes after its first piece. */
  add(record: LogRecord, isContinuation: boolean): void {
    if (this.#hasEnded) return;
    if (record.line !== this.#nextNumber) this.#hasEnded = true;
    this.#nextNumber += 1;
    if (this.#hasEnded || record.stream !== this.#stream) return;
    this.#hasEnded = !isContinuation || !record.more;
    if (!isContinuation) return;
    this.#pieces.push(Buffer.from(record.bytes));
    this.#bytes += record.bytes.length;
  }

  /**
   * Reads on in the messages that follow.
   * @param upToRow the newest row of labels that counts
   * @throws UnreadableRow
   */
  read(store: Store, upToRow: number): LineState {
    while (!this.#hasEnded) {
      if (this.#bytes > MAX_PART_BYTES) return 'full';
      if (this.#run === null) return 'ended';
      // Asked before the row, which may come between the two questions.
      const runEnd = store.runEnd(this.#run);
      const row = store.continuation(this.#run, this.#nextNumber);
      if (row === undefined && runEnd < this.#nextNumber) return 'unfinished';
      if (row === undefined) this.#hasEnded = true;
      else if (row.id > upToRow) return 'unfinished';
      else
        visitRecords(row, unpackRow(store, row), (record, isContinuation) => {
          this.add(record, isContinuation);
          return !this.#hasEnded;
        });
    }
    return 'ended';
  }

  /** What was read since the last call. */
  take(): Buffer {
    const [only] = this.#pieces;
    const bytes = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    return bytes;
  }
}
