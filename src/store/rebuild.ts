/**
 * Draws everything that is drawn from messages anew: labels, series, runs, run records, states of jobs, notices, contacts, names,
 * totals of feeds. By the code that takes messages in, so that the result is what it would have been.
 */
import type { Database } from './database.ts';
import { Ingest } from './ingest.ts';
import { META, setMeta } from './meta.ts';
import { unpackValue } from './packed-value.ts';

/** What is written at once; also how often the caller hears of it. */
const STEP_MESSAGES = 1000;

const DRAWN = ['labels', 'run_records', 'runs', 'series', 'job_states', 'notices', 'contacts', 'names'] as const;

/**
 * Must run in a transaction of the caller's, which makes it all or nothing; a migration can call it as well.
 * `feeds.sequence` is left alone: a feed whose end is gone must not look shorter than it was.
 * @returns a generator of the number of messages done so far; it has to be run to its end
 */
export function* rebuildDrawn(db: Database, ingest = new Ingest(db)): Generator<number, undefined> {
  // Readers that follow must not meet a row id for the second time.
  const floor = db.number('SELECT value FROM meta WHERE key = ?', META.labelFloor);
  setMeta(db, META.labelFloor, String(Math.max(floor, db.number('SELECT max(id) FROM labels'))));
  setMeta(db, META.generation, String(db.number('SELECT value FROM meta WHERE key = ?', META.generation) + 1));
  for (const table of DRAWN) db.run(`DELETE FROM ${table}`);
  db.run('UPDATE feeds SET lines = 0, last_at = NULL, unreadable = 0');
  ingest.reset();
  let last = 0;
  let done = 0;
  for (;;) {
    const rows = db.all('SELECT id, value, data FROM messages WHERE id > ? ORDER BY id LIMIT ?', last, STEP_MESSAGES);
    for (const row of rows) {
      const [id, text, data] = row as [number, string, Uint8Array | null];
      ingest.relabel(id, unpackValue({ text, data }));
      last = id;
    }
    ingest.flush();
    done += rows.length;
    yield done;
    if (rows.length < STEP_MESSAGES) return;
  }
}
