/**
 * Finds a message by its id, which SSB calls its key. Keys are random: an index that takes each at once changes a page
 * of its own for nearly every message. So they enter it some thousands at a time, in order, and those that have not yet
 * are looked through. Of a key only the beginning is in it, 48 bits: that finds one message, in a fifth of the space.
 */
import type { Database } from './database.ts';
import { META, setMeta } from './meta.ts';

/** Messages that are looked through: some hundredths of a second. */
const MAX_OUTSIDE = 8192;

/** Keys of messages with an id up to this one are in the index. */
export function lastEntered(db: Database): number {
  return db.number('SELECT value FROM meta WHERE key = ?', META.lastKey);
}

/**
 * To be called in a transaction, after messages were added.
 * @param entered what `lastEntered` was
 * @param last the last message's id
 * @returns what `lastEntered` is then
 */
export function enterKeys(db: Database, entered: number, last: number): number {
  if (last - entered < MAX_OUTSIDE) return entered;
  db.run('INSERT INTO message_keys SELECT substr(key, 2, 8), id FROM messages WHERE id > ? ORDER BY 1, 2', entered);
  setMeta(db, META.lastKey, String(last));
  return last;
}

/** To be called in a transaction in which messages were deleted: their numbers will be given out again. */
export function clearKeys(db: Database): void {
  db.run('DELETE FROM message_keys');
  setMeta(db, META.lastKey, '0');
}

/** @returns `messages.id` */
export function findKey(db: Database, key: string): number | undefined {
  const found =
    db.get(
      `SELECT id FROM messages JOIN message_keys ON id = message
       WHERE start = substr(?, 2, 8) AND key = ?`,
      key,
      key,
    ) ?? db.get('SELECT id FROM messages WHERE id > ? AND key = ?', lastEntered(db), key);
  return found === undefined ? undefined : Number(found[0]);
}
