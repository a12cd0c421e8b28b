/**
 * Whether everything that is drawn from messages is what they give: it is drawn once more, by the code that takes
 * messages in, beside the store and a piece at a time, and compared. Changes nothing.
 */
import { Database, type Row } from './database.ts';
import { Ingest } from './ingest.ts';
import { migrate } from './migrations.ts';
import { unpackValue } from './packed-value.ts';

/** What is drawn and compared at once; also how often the caller hears of it. */
const STEP_MESSAGES = 500;

export interface Difference {
  readonly table: string;
  /** Rows that are missing, too many, or not as they should be. */
  readonly rows: number;
  /** One of them, as it is or as it should be. */
  readonly example: string;
}

const LABELS = `SELECT labels.id, labels.message, labels.sequence, feeds.feed, source, destination, job, runs.run, line,
    labels.lines, labels.first, labels.last, level, labels.open
  FROM labels LEFT JOIN series ON series.id = labels.series LEFT JOIN feeds ON feeds.id = series.feed
    LEFT JOIN runs ON runs.id = labels.run
  WHERE labels.id > ? ORDER BY labels.id LIMIT ?`;
const ID = 0;
const MESSAGE = 1;

/** The other tables: a row's key in texts that do not depend on ids, by which an index finds it, and its values. */
interface Table {
  readonly name: string;
  readonly from: string;
  readonly key: readonly string[];
  readonly values: string;
}

const SERIES_LABELS = 'series.source, series.destination, series.job';

const TABLES: readonly Table[] = [
  {
    name: 'runs',
    from: 'runs LEFT JOIN feeds ON feeds.id = runs.feed LEFT JOIN series ON series.id = runs.series',
    key: ['runs.run', 'feeds.feed'],
    values: `runs.progress, runs.gaps, runs.open, runs.first, runs.last, ${SERIES_LABELS}`,
  },
  {
    name: 'run_records',
    from: `run_records AS record LEFT JOIN runs ON runs.id = record.run LEFT JOIN feeds ON feeds.id = runs.feed
      LEFT JOIN series ON series.id = record.series`,
    key: ['runs.run', 'feeds.feed'],
    values: `state, started, ended, exit, signal, reason, record.lines, levels, every, cron, tz, grace, ${SERIES_LABELS}`,
  },
  {
    name: 'job_states',
    from: 'job_states AS job LEFT JOIN feeds ON feeds.id = job.author',
    key: ['job.feed', 'source', 'destination', 'job', 'feeds.feed'],
    values: 'state, at, until, forgotten',
  },
  {
    name: 'notices',
    from: 'notices LEFT JOIN feeds ON feeds.id = notices.author',
    key: ['recipient', 'episode', 'feeds.feed'],
    values: 'at, active',
  },
  {
    name: 'contacts',
    from: 'contacts LEFT JOIN feeds ON feeds.id = contacts.author',
    key: ['contact', 'feeds.feed'],
    values: 'following, blocking',
  },
  {
    name: 'names',
    from: 'names LEFT JOIN feeds ON feeds.id = names.author',
    key: ['about', 'feeds.feed'],
    values: 'name',
  },
];

/** Totals of feeds; a feed without messages has none. */
const TOTALS = 'SELECT feed, lines, last_at, unreadable FROM feeds ORDER BY feed';

/**
 * Reads the store as it is at the first step, in one transaction.
 * @returns a generator of the number of messages done so far; it ends with the first tables' differences
 */
export function* compareDrawn(db: Database): Generator<number, Difference[]> {
  // A file without a name: SQLite keeps it in memory while it is small, and removes it by itself.
  const scratch = new Database('', { readOnly: false, onDamage: () => undefined });
  db.exec('BEGIN');
  try {
    migrate(scratch);
    const labels = yield* compareLabels(db, scratch);
    const tables = TABLES.map((table) => compareTable(db, scratch, table));
    return [labels, ...tables, compareTotals(db, scratch)].filter(({ rows }) => rows > 0);
  } finally {
    db.rollback();
    scratch.close();
  }
}

function* compareLabels(db: Database, scratch: Database): Generator<number, Difference> {
  const ingest = new Ingest(scratch);
  const found = new Found('labels');
  const actual = labelRows(db);
  let next = actual.next();
  let last = 0;
  for (let done = 0; ; ) {
    const rows = db.all('SELECT id, value, data FROM messages WHERE id > ? ORDER BY id LIMIT ?', last, STEP_MESSAGES);
    scratch.transaction(() => {
      scratch.run('DELETE FROM labels');
      for (const row of rows) {
        const [id, text, data] = row as [number, string, Uint8Array | null];
        ingest.relabel(id, unpackValue({ text, data }));
        last = id;
      }
      ingest.flush();
    });
    // Labels were stored in the order of their messages.
    const expected = new Set([...labelRows(scratch)].map((row) => textOf(row)));
    const isLast = rows.length < STEP_MESSAGES;
    for (; !next.done && (isLast || Number(next.value[MESSAGE]) <= last); next = actual.next()) {
      const text = textOf(next.value);
      if (!expected.delete(text)) found.add(text);
    }
    for (const text of expected) found.add(text);
    done += rows.length;
    yield done;
    if (isLast) return found.difference;
  }
}

function* labelRows(db: Database): Generator<Row, undefined> {
  for (let after = 0; ; ) {
    const rows = db.all(LABELS, after, STEP_MESSAGES);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = Number(last[ID]);
  }
}

/** A row of labels but for its own number, which is another one after each time that labels are drawn. */
function textOf(row: Row): string {
  return JSON.stringify(row.slice(MESSAGE));
}

function compareTable(db: Database, scratch: Database, { name, from, key, values }: Table): Difference {
  const found = new Found(name);
  const select = `SELECT ${key.join()}, ${values} FROM ${from}`;
  const twinOf = `${select} WHERE ${key.map((column) => `${column} = ?`).join(' AND ')}`;
  let same = 0;
  for (const row of db.iterate(select)) {
    const text = JSON.stringify(row);
    const twin = scratch.get(twinOf, ...row.slice(0, key.length));
    if (JSON.stringify(twin) === text) same += 1;
    else found.add(text);
  }
  const missing = scratch.number(`SELECT count(*) FROM ${name}`) - same - found.difference.rows;
  if (missing > 0) found.add(`${missing} rows are missing`, missing);
  return found.difference;
}

function compareTotals(db: Database, scratch: Database): Difference {
  const found = new Found('feeds');
  const expected = new Map(scratch.all(TOTALS).map((row) => [row[0], JSON.stringify(row)]));
  for (const row of db.all(TOTALS)) {
    const empty = JSON.stringify([row[0], 0, null, 0]);
    if ((expected.get(row[0] ?? null) ?? empty) !== JSON.stringify(row)) found.add(JSON.stringify(row));
  }
  return found.difference;
}

class Found {
  readonly #table: string;
  #rows = 0;
  #example = '';

  constructor(table: string) {
    this.#table = table;
  }

  add(example: string, rows = 1): void {
    if (this.#rows === 0) this.#example = example;
    this.#rows += rows;
  }

  get difference(): Difference {
    return { table: this.#table, rows: this.#rows, example: this.#example };
  }
}
