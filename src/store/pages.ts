/**
 * Long results a page at a time, each page its own short read: a reader that somebody pauses for hours must not keep
 * the writer's log file (WAL) from being cut back.
 */
import type { Database, Row, SqlValue } from './database.ts';

/** The first pages are small, because many readers want only the beginning. */
const FIRST_PAGE_ROWS = 32;
const MAX_PAGE_ROWS = 1024;

export interface PagedQuery {
  /** Ends in a condition on the key, an ORDER BY the key, and `LIMIT ?`. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** The key that precedes the first row's; its values come after `values`. */
  readonly start: readonly SqlValue[];
  readonly keyOf: (row: Row) => readonly SqlValue[];
}

export function* pagedRows(db: Database, { sql, values, start, keyOf }: PagedQuery): Generator<Row, undefined> {
  let after = start;
  for (let limit = FIRST_PAGE_ROWS; ; limit = Math.min(limit * 2, MAX_PAGE_ROWS)) {
    const rows = db.all(sql, ...values, ...after, limit);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = keyOf(last);
  }
}
