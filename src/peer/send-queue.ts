/** What waits to be sent over one connection: taken as it comes, so that its bytes are known. */
import type { PullSource } from './ssb/types.ts';

type Answer = (end: Error | boolean | null, chunk?: Buffer) => void;

export interface SendQueue {
  /** The same chunks, for a reader that may take its time. */
  readonly source: PullSource<Buffer>;
  /** Bytes that wait. */
  readonly bytes: number;
}

/** @param onChange called with the bytes by which it grew, or shrank (less than 0) */
export function sendQueue(source: PullSource<Buffer>, onChange: (bytes: number) => void): SendQueue {
  let chunks: Buffer[] = [];
  let next = 0;
  let isStarted = false;
  let isOver: Error | true | undefined;
  let waiting: Answer | undefined;
  let bytes = 0;

  const change = (by: number) => {
    bytes += by;
    if (by !== 0) onChange(by);
  };

  const take = (end: Error | boolean | null, chunk?: Buffer) => {
    if (end) isOver ??= end;
    if (isOver === undefined && chunk !== undefined && waiting === undefined) {
      chunks.push(chunk);
      change(chunk.length);
    } else if (waiting !== undefined) {
      const answer = waiting;
      waiting = undefined;
      if (isOver === undefined) answer(null, chunk);
      else answer(isOver);
    }
  };

  /** A source that answers at once is read in a loop: it may have much, and each answer would go a call deeper. */
  const fill = () => {
    let isInLoop = true;
    let isAnswered = true;
    while (isAnswered && isOver === undefined) {
      isAnswered = false;
      source(null, (end, chunk) => {
        take(end, chunk);
        if (isInLoop) isAnswered = true;
        else fill();
      });
    }
    isInLoop = false;
  };

  const read: PullSource<Buffer> = (abort, answer) => {
    if (abort) {
      isOver ??= abort;
      [chunks, next] = [[], 0];
      change(-bytes);
      waiting?.(abort);
      waiting = undefined;
      source(abort, answer);
      return;
    }
    if (next < chunks.length) {
      const chunk = chunks[next] as Buffer;
      next += 1;
      if (next === chunks.length) [chunks, next] = [[], 0];
      change(-chunk.length);
      answer(null, chunk);
      return;
    }
    if (isOver !== undefined) {
      answer(isOver);
      return;
    }
    waiting = answer;
    if (isStarted) return;
    isStarted = true;
    fill();
  };
  return {
    source: read,
    get bytes() {
      return bytes;
    },
  };
}
