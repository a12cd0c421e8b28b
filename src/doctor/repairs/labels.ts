/** Draws labels, runs, contacts and names anew from the messages. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openStore } from '../../store/open.ts';
import type { Machine } from '../finding.ts';
import { withLock } from '../with-lock.ts';

export function redrawLabels({ paths, options }: Machine): Promise<void> {
  return withLock(paths, async () => {
    const store = openStore(paths.store);
    try {
      const total = store.messageCount();
      for (const done of store.rebuild()) {
        options.onProgress('labelling', done, total);
        await nextTurn();
        options.signal.throwIfAborted();
      }
    } finally {
      store.close();
    }
  });
}
