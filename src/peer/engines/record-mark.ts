/** The mark in a store that says that it is the record of its feeds, not a mirror that can be made anew. */
import type { Store } from '../../store/store.ts';

const KEY = 'record';

export function isRecord(store: Store): boolean {
  return store.meta(KEY) === 'yes';
}

export function markAsRecord(store: Store): void {
  store.setMeta(KEY, 'yes');
}

/** Only while flume holds all that the store holds. */
export function markAsMirror(store: Store): void {
  if (isRecord(store)) store.setMeta(KEY, 'no');
}
