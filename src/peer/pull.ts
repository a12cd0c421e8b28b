/** The one bridge between SSB's pull-streams and callbacks, and async iteration and promises. */
import type { Callback, PullSource } from './ssb/types.ts';

/** Reads a pull-stream to its end; leaving the loop aborts the source. */
export async function* iterate<T>(source: PullSource<T>): AsyncGenerator<T> {
  let ended = false;
  const read = (abort: boolean | null) =>
    new Promise<{ end: Error | boolean | null; data: T | undefined }>((resolve) => {
      source(abort, (end, data) => resolve({ end, data }));
    });
  try {
    for (;;) {
      const { end, data } = await read(null);
      if (end) {
        ended = true;
        if (end === true) return;
        throw end;
      }
      yield data as T;
    }
  } finally {
    if (!ended) await read(true);
  }
}

/** Calls a callback-last function as a promise. */
export function promised<T>(call: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error) reject(error);
      else resolve(value as T);
    });
  });
}
