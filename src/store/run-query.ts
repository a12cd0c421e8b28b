/** Runs: their ids, their records, and how far each has come. */
import type { Level } from '../message/level.ts';
import type { Database, Row } from './database.ts';
import { pagedRows } from './pages.ts';

/** What a run's latest `log-run` message says. */
export interface RunRecord {
  readonly feed: string;
  readonly run: string;
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly job: string | undefined;
  readonly state: 'start' | 'end';
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly ended: number | null;
  /** null: not known, or a signal ended it. */
  readonly exit: number | null;
  /** The job did its work, though `exit` is not 0. */
  readonly ok: boolean;
  readonly signal: string | null;
  /** Why it has no exit code of its own: `timeout`, `spawn ENOENT`. */
  readonly reason: string | null;
  readonly lines: number | null;
  readonly levels: Partial<Record<Level, number>> | null;
  /** Durations as they were given (`24h`). */
  readonly every: string | null;
  /** A cron expression, and the zone in which it is meant. */
  readonly cron: string | null;
  readonly tz: string | null;
  readonly grace: string | null;
}

export interface RunQuery {
  /** Runs that started at or after this time: milliseconds since the epoch. */
  readonly since?: number | undefined;
}

/** A run as other rows refer to it. */
export interface RunRef {
  readonly id: number;
  /** Times of its earliest and latest line. */
  readonly first: number;
  readonly last: number;
  readonly feed: string;
}

/** The highest record number of a run in a feed; 0 when there is none. */
export function runProgress(db: Database, feed: string, run: string): number {
  return db.number(
    'SELECT progress FROM runs WHERE run = ? AND feed = (SELECT id FROM feeds WHERE feed = ?)',
    run,
    feed,
  );
}

/** The runs with this id that have lines; more than one when several feeds use it. */
export function findRuns(db: Database, run: string): RunRef[] {
  const rows = db.all(
    `SELECT runs.id, first, last, feeds.feed FROM runs JOIN feeds ON feeds.id = runs.feed
     WHERE run = ? AND first IS NOT NULL`,
    run,
  );
  return rows.map((row) => {
    const [id, first, last, feed] = row as [number, number, number, string];
    return { id, first, last, feed };
  });
}

/** The id as text, as it is in messages. */
export function runText(db: Database, id: number): string | undefined {
  return db.get('SELECT run FROM runs WHERE id = ?', id)?.[0] as string | undefined;
}

/** What `runRecord` reads, of `run_records AS record` with its run, feed and series. */
export const RUN_COLUMNS = `feeds.feed, runs.run, series.source, series.destination, series.job, record.state,
  record.started, record.ended, record.exit, record.signal, record.reason, record.lines, record.levels, record.every,
  record.cron, record.tz, record.grace, record.ok`;

const STARTED = 6;
const ID = 18;

/** The run that started last comes first. */
export function* queryRuns(db: Database, { since }: RunQuery): Generator<RunRecord, undefined> {
  const rows = pagedRows(db, {
    sql: `SELECT ${RUN_COLUMNS}, record.run
      FROM run_records AS record
      JOIN runs ON runs.id = record.run
      JOIN feeds ON feeds.id = runs.feed
      JOIN series ON series.id = record.series
      WHERE record.started >= ? AND (record.started, record.run) < (?, ?)
      ORDER BY record.started DESC, record.run DESC LIMIT ?`,
    values: [since ?? 0],
    start: [Number.MAX_SAFE_INTEGER, 0],
    keyOf: (row) => [row[STARTED] as number, row[ID] as number],
  });
  for (const row of rows) yield runRecord(row);
}

export function runRecord(row: Row): RunRecord {
  const [feed, run, source, destination, job, state, started, ended, ...rest] = row as [
    ...labels: [string, string, string, string, string],
    ...times: ['start' | 'end', number, number | null],
    ...result: [number | null, string | null, string | null, number | null, string | null],
    ...schedule: [string | null, string | null, string | null, string | null],
    ok: number | null,
  ];
  const [exit, signal, reason, lines, levels, every, cron, tz, grace, ok] = rest;
  return {
    feed,
    run,
    source: source || undefined,
    destination: destination || undefined,
    job: job || undefined,
    state,
    started,
    ended,
    exit,
    ok: ok === 1,
    signal,
    reason,
    lines,
    levels: levels === null ? null : (JSON.parse(levels) as RunRecord['levels']),
    every,
    cron,
    tz,
    grace,
  };
}
