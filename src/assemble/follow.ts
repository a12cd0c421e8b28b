/** The lines that arrive, as they arrive: whoever fills the store is another process. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { SsblogError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type LogFilter, LogLines, type NameOf, type OpenLines, readLines } from './lines.ts';

/** The file system's notices can be lost; this is how long a line may then wait. */
const LOOK_AGAIN_MS = 1_000;
/**
 * A notice comes when a commit is written; readers see it when it is on the disk as well, of which there is no notice.
 * Times after the notice.
 */
const LOOKS_AFTER_NOTICE_MS = [2, 5, 10, 20, 50, 150];

export interface FollowOptions {
  readonly afterRow: number;
  readonly nameOf: NameOf;
  /** Lines that wait for their last piece since an earlier read. */
  readonly openLines: OpenLines;
  /** Ends the iteration, in order. */
  readonly signal: AbortSignal;
}

/**
 * Lines in batches, each sorted, in the order in which they came to this machine. Long lines come when they are
 * complete, or at the end as they are then.
 * @throws SsblogError `store` when the store is deleted or made anew meanwhile
 */
export async function* followLines(store: Store, filter: LogFilter, options: FollowOptions): AsyncGenerator<LogLines> {
  const { signal, nameOf, openLines } = options;
  const changes = watchStore(store, signal);
  let row = options.afterRow;
  try {
    while (!signal.aborted) {
      // Of labels that were made anew, all would look as if they had just come.
      if (store.isReplaced()) {
        throw new SsblogError('store', 'the store was made anew', { hint: 'run the command again' });
      }
      const upToRow = store.lastRow();
      if (upToRow > row) {
        yield* readLines(store, filter, { afterRow: row, upToRow, nameOf, openLines });
        row = upToRow;
      }
      await changes.next();
    }
    const unfinished = openLines.takeAll();
    if (unfinished.length > 0) yield LogLines.of(unfinished);
  } finally {
    changes.close();
  }
}

export interface Changes {
  /** Resolves when the store may have changed since the last call. */
  next(): Promise<void>;
  close(): void;
}

export function watchStore(store: Store, signal: AbortSignal): Changes {
  let isChanged = true;
  let wake: (() => void) | undefined;
  const change = () => {
    isChanged = true;
    wake?.();
  };
  const name = basename(store.file);
  let looks: NodeJS.Timeout | undefined;
  const notice = () => {
    change();
    clearTimeout(looks);
    const since = performance.now();
    const lookAgain = (next: number): void => {
      const after = LOOKS_AFTER_NOTICE_MS[next];
      if (after === undefined) return;
      looks = setTimeout(
        () => {
          change();
          lookAgain(next + 1);
        },
        since + after - performance.now(),
      );
    };
    lookAgain(0);
  };
  // A commit writes to the -wal file beside the store.
  const watcher = watch(dirname(store.file), (_event, file) => {
    if (file === null || file.startsWith(name)) notice();
  });
  watcher.on('error', change); // the timer still looks
  const timer = setInterval(change, LOOK_AGAIN_MS);
  signal.addEventListener('abort', change);
  return {
    async next() {
      if (!isChanged) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isChanged = false;
    },
    close() {
      watcher.close();
      clearTimeout(looks);
      clearInterval(timer);
      signal.removeEventListener('abort', change);
    },
  };
}
