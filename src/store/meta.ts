/** Small texts by key: what the owner of a store wants to remember beside the messages. */
import type { Database } from './database.ts';

/** Keys of the store's own. */
export const META = {
  /** Row ids of labels up to this one were given out, even if their rows are gone. */
  labelFloor: 'store.label-floor',
  /** How often all labels were made anew: readers that follow must then begin again. */
  generation: 'store.generation',
  /** Messages up to this one are found by `message_keys`. */
  lastKey: 'store.last-key',
} as const;

export function getMeta(db: Database, key: string): string | undefined {
  const value = db.get('SELECT value FROM meta WHERE key = ?', key)?.[0];
  return typeof value === 'string' ? value : undefined;
}

export function setMeta(db: Database, key: string, value: string): void {
  db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value);
}
