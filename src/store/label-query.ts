/** Finds labels by time, whatever else is asked for. */
import type { Database, Row, SqlValue } from './database.ts';
import type { Label } from './label.ts';
import { mergeSorted } from './merge-rows.ts';
import { pagedRows } from './pages.ts';

export interface LabelRow extends Label {
  /** Grows in the order of arrival. */
  readonly id: number;
  readonly series: number;
  /** For `Store.value`. */
  readonly message: number;
  /** The message's number in its feed. */
  readonly sequence: number;
  /** For `Store.runText`; null: the message has no run. */
  readonly run: number | null;
  /** The message's signed value as JSON, of a row with one record; of others it is read when it is needed (`Store.value`). */
  readonly value: string | null;
}

export interface LabelQuery {
  /** `ascending` by each row's first time, or `descending` by its last. */
  readonly order: 'ascending' | 'descending';
  /** Rows that have a record at or after this time … */
  readonly since?: number | undefined;
  /** … and one at or before this one; milliseconds since the epoch. */
  readonly until?: number | undefined;
  /** Ids of series; undefined: all. */
  readonly series?: readonly number[] | undefined;
  /** Ids of runs; undefined: all, and what has no run. */
  readonly runs?: readonly number[] | undefined;
  /** Rows whose worst level has at most this rank; those without a level are then left out. */
  readonly maxRank?: number | undefined;
  /** Rows that come after this one, in ascending order. */
  readonly after?: Pick<LabelRow, 'first' | 'id'> | undefined;
  /** Row ids above this one, up to that one. */
  readonly afterRow?: number | undefined;
  readonly upToRow?: number | undefined;
}

/** Of so few series each is read by itself, in its index, and merged. */
const MAX_MERGED_SERIES = 16;
/** So few new rows are sorted at once; with more of them it is cheaper to walk the index of times. */
const MAX_SORTED_ROWS = 20_000;

const COLUMNS = `id, series, message, sequence, run, line, lines, first, last, level, open,
  CASE WHEN lines = 1 THEN (SELECT value FROM messages WHERE messages.id = labels.message AND data IS NULL) END`;
const FIRST = 7;
const LAST = 8;

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** The rows as they are when the query begins; those that arrive later are left out. */
export function* queryLabels(db: Database, query: LabelQuery): Generator<LabelRow, undefined> {
  if (query.series?.length === 0 || query.runs?.length === 0) return;
  const upToRow = query.upToRow ?? db.number('SELECT max(id) FROM labels');
  const afterRow = query.afterRow ?? 0;
  if (upToRow <= afterRow) return;
  const bounded = { ...query, upToRow };
  if (query.afterRow !== undefined && upToRow - afterRow <= MAX_SORTED_ROWS) {
    yield* newRows(db, bounded);
    return;
  }
  yield* query.order === 'ascending' ? ascending(db, bounded) : descending(db, bounded);
}

/** The row whose first record has this number in its run, and goes on a line that an earlier row began. */
export function readContinuation(db: Database, run: number, line: number): LabelRow | undefined {
  const row = db.get(`${selectBy('labels_by_continuation')} WHERE run = ? AND line = ? AND open <> 0`, run, line);
  return row === undefined ? undefined : labelRow(row);
}

/** What arrived lately, by row id: the index of times is of no help in finding it. */
function* newRows(db: Database, query: LabelQuery): Generator<LabelRow, undefined> {
  const { sql, values } = and(seriesOf(query), rowsOf(query), {
    sql: 'last >= ? AND first <= ?',
    values: [query.since ?? 0, query.until ?? Number.MAX_SAFE_INTEGER],
  });
  const order = query.order === 'ascending' ? 'first, id' : 'last DESC, id DESC';
  for (const row of db.all(`SELECT ${COLUMNS} FROM labels NOT INDEXED WHERE ${sql} ORDER BY ${order}`, ...values))
    yield labelRow(row);
}

function* ascending(db: Database, query: LabelQuery): Generator<LabelRow, undefined> {
  const { since, until, after } = query;
  if (since !== undefined) yield* rowsAcross(db, query, { instant: since, order: 'first, id' });
  const start = after === undefined ? [since ?? 0, 0] : [after.first, after.id];
  const end = until ?? Number.MAX_SAFE_INTEGER;
  const cursors = seriesCursors(query).map((series) => {
    const { sql, values } = and(series.condition, rowsOf(query), { sql: 'first <= ?', values: [end] });
    return pagedRows(db, {
      sql: `${series.select} WHERE ${sql} AND (first, id) > (?, ?) ORDER BY first, id LIMIT ?`,
      values,
      start,
      keyOf: (row) => [row[FIRST] as number, row[0] as number],
    });
  });
  for (const row of mergeSorted(cursors, (a, b) => timeOf(a, FIRST) < timeOf(b, FIRST))) yield labelRow(row);
}

function* descending(db: Database, query: LabelQuery): Generator<LabelRow, undefined> {
  const { since, until } = query;
  if (until !== undefined) yield* rowsAcross(db, query, { instant: until + 1, order: 'last DESC, id DESC' });
  const begin = since ?? 0;
  const end = until ?? Number.MAX_SAFE_INTEGER;
  const cursors = seriesCursors(query).map((series) => {
    const { sql, values } = and(series.condition, rowsOf(query), {
      sql: 'first = last AND first >= ?',
      values: [begin],
    });
    return pagedRows(db, {
      sql: `${series.select} WHERE ${sql} AND (first, id) < (?, ?) ORDER BY first DESC, id DESC LIMIT ?`,
      values,
      start: [end, Number.MAX_SAFE_INTEGER],
      keyOf: (row) => [row[FIRST] as number, row[0] as number],
    });
  });
  const { sql, values } = and(seriesOf(query), rowsOf(query), { sql: 'last > first AND last >= ?', values: [begin] });
  const longer = pagedRows(db, {
    sql: `${selectBy('labels_by_end')} WHERE ${sql} AND (last, first, id) < (?, ?, ?)
      ORDER BY last DESC, first DESC, id DESC LIMIT ?`,
    values,
    start: [end, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    keyOf: (row) => [row[LAST] as number, row[FIRST] as number, row[0] as number],
  });
  for (const row of mergeSorted([...cursors, longer], (a, b) => timeOf(a, LAST) > timeOf(b, LAST))) yield labelRow(row);
}

/** Rows with records on both sides of an instant. Few: those of the runs that were under way. */
function* rowsAcross(
  db: Database,
  query: LabelQuery,
  { instant, order }: { instant: number; order: string },
): Generator<LabelRow, undefined> {
  const { sql, values } = and(seriesOf(query), rowsOf(query), {
    sql: 'last > first AND last >= ? AND first < ?',
    values: [instant, instant],
  });
  const rows = db.all(`${selectBy('labels_by_end')} WHERE ${sql} ORDER BY ${order}`, ...values);
  for (const row of rows) yield labelRow(row);
}

/** The conditions that do not depend on the order. */
function rowsOf({ afterRow, upToRow, runs, maxRank }: LabelQuery): Condition {
  const parts: Condition[] = [{ sql: 'id > ? AND id <= ?', values: [afterRow ?? 0, upToRow ?? 0] }];
  if (runs !== undefined) parts.push(among('run', runs));
  if (maxRank !== undefined) parts.push({ sql: 'level <= ?', values: [maxRank] });
  return and(...parts);
}

function seriesOf({ series }: LabelQuery): Condition {
  return series === undefined ? { sql: 'true', values: [] } : among('series', series);
}

/** What is read in the order of times: all at once, or each series by itself. */
function seriesCursors(query: LabelQuery): { select: string; condition: Condition }[] {
  if (query.series === undefined || query.series.length > MAX_MERGED_SERIES)
    return [{ select: selectBy('labels_by_time'), condition: seriesOf(query) }];
  return query.series.map((series) => ({
    select: selectBy('labels_by_series'),
    condition: { sql: 'series = ?', values: [series] },
  }));
}

/** The index is named, because SQLite would take one that finds fewer rows and sort them anew for every page. */
function selectBy(index: 'labels_by_time' | 'labels_by_series' | 'labels_by_end' | 'labels_by_continuation'): string {
  return `SELECT ${COLUMNS} FROM labels INDEXED BY ${index}`;
}

function among(column: string, ids: readonly number[]): Condition {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(ids)] };
}

function and(...conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  };
}

function timeOf(row: Row, column: number): number {
  return row[column] as number;
}

function labelRow(row: Row): LabelRow {
  const [id, series, message, sequence, run, line, lines, first, last, level, open, value] = row as [
    ...ids: [number, number, number, number],
    ...record: [number | null, number | null, number, number, number],
    ...rest: [number | null, number, string | null],
  ];
  return { id, series, message, sequence, run, line, lines, first, last, level, open, value };
}
