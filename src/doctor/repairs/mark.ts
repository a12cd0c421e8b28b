/** Writes the mark that says that the store is the record. */
import { isRecord, markAsRecord } from '../../peer/engines/record-mark.ts';
import { openStore } from '../../store/open.ts';
import type { Machine } from '../finding.ts';
import { withLock } from '../with-lock.ts';

export function writeMark({ paths }: Machine): Promise<void> {
  return withLock(paths, () => {
    const store = openStore(paths.store);
    try {
      if (isRecord(store)) markAsRecord(store, paths);
    } finally {
      store.close();
    }
  });
}
