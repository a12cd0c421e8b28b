/** What of a feed a machine has that holds it up to some message, and what it lacks. */
import type { Database } from './database.ts';

export interface Receipt {
  readonly has: {
    readonly sequence: number;
    /** Time of the latest line that it has: milliseconds since the epoch; null when it has none. */
    readonly at: number | null;
  };
  readonly lacks: { readonly messages: number; readonly lines: number };
}

/** @param sequence as the machine says; it cannot have more than there is */
export function readReceipt(db: Database, feed: string, sequence: number): Receipt {
  const [id = null, last = 0, lastAt = null] = (db.get(
    'SELECT id, sequence, last_at FROM feeds WHERE feed = ?',
    feed,
  ) ?? []) as [number?, number?, (number | null)?];
  if (sequence >= last) return { has: { sequence: last, at: lastAt }, lacks: { messages: 0, lines: 0 } };
  const [at, lines] = db.get(
    `SELECT max(CASE WHEN sequence <= ? THEN last END), sum(CASE WHEN sequence > ? THEN lines ELSE 0 END)
     FROM labels WHERE series IN (SELECT id FROM series WHERE feed = ?)`,
    sequence,
    sequence,
    id,
  ) as [number | null, number | null];
  return { has: { sequence, at }, lacks: { messages: last - sequence, lines: lines ?? 0 } };
}
