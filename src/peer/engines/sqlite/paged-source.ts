/**
 * A pull-stream that reads the store page by page and, when it is live, goes on whenever there is more. It queues
 * nothing but the page that it is handing out: who reads slowly makes it read later.
 */
import type { PullSource } from '../../ssb/types.ts';

/** What live streams say when what was there before has been read. */
const SYNC = { sync: true } as const;

export interface PagedOptions<T> {
  /** The next page of what there is; undefined: no more now. An empty page: read on. */
  readonly readPage: () => readonly T[] | undefined;
  readonly live: boolean;
  /** Says `{sync: true}` before it goes live. */
  readonly saySync: boolean;
  /** Ends after so many; `{sync: true}` does not count. */
  readonly limit: number;
  /** Calls when there may be more. @returns a function that stops it */
  readonly onMore: (listener: () => void) => () => void;
  readonly isClosed: () => boolean;
}

type Answer<T> = (end: Error | boolean | null, data?: T) => void;

export function pagedSource<T>(options: PagedOptions<T>): PullSource<T | typeof SYNC> {
  const { readPage, live, saySync, limit, onMore, isClosed } = options;
  let page: readonly T[] = [];
  let next = 0;
  let given = 0;
  let isOver: Error | true | undefined;
  let hasSynced = !live || !saySync;
  /** The reader that waits for more, and how to stop waiting for it. */
  let waiting: { answer: Answer<T | typeof SYNC>; stop: () => void } | undefined;

  const end = (answer: Answer<T | typeof SYNC>, reason: Error | true) => {
    isOver = reason;
    page = [];
    answer(reason);
  };

  const wait = (answer: Answer<T | typeof SYNC>) => {
    const stop = onMore(() => {
      stop();
      waiting = undefined;
      read(answer);
    });
    waiting = { answer, stop };
  };

  const read = (answer: Answer<T | typeof SYNC>): void => {
    if (isOver !== undefined) answer(isOver);
    else if (given >= limit || (next === page.length && isClosed())) end(answer, true);
    else if (next < page.length) {
      given += 1;
      next += 1;
      answer(null, page[next - 1] as T);
    } else turnPage(answer);
  };

  const turnPage = (answer: Answer<T | typeof SYNC>): void => {
    let found: readonly T[] | undefined;
    try {
      found = readPage();
    } catch (error) {
      end(answer, error as Error);
      return;
    }
    if (found !== undefined) {
      page = found;
      next = 0;
      // Later, so that a reader that is never full lets the peer do its other work between pages.
      setImmediate(read, answer);
    } else if (!hasSynced) {
      hasSynced = true;
      answer(null, SYNC);
    } else if (live) wait(answer);
    else end(answer, true);
  };

  return (abort, answer) => {
    if (!abort) {
      read(answer);
      return;
    }
    isOver ??= abort;
    if (waiting !== undefined) {
      waiting.stop();
      const { answer: reader } = waiting;
      waiting = undefined;
      reader(abort);
    }
    answer(abort);
  };
}
