/** What is stored of jobs: their runs, their schedules, what feeds want of them. By indexes, however many runs there are. */
import type { Database, Row } from './database.ts';
import type { Series } from './feed-query.ts';
import { RUN_COLUMNS, type RunRecord, runRecord } from './run-query.ts';

/** A job with at least one run record. */
export interface StoredJob extends Series {
  readonly job: string;
}

export interface JobFilter {
  /** Any of these; absent or empty: all. */
  readonly source?: readonly string[] | undefined;
  readonly destination?: readonly string[] | undefined;
  readonly job?: readonly string[] | undefined;
}

/** Which of a job's runs count: those that started from `since` to `until`, in milliseconds since the epoch. */
export interface RunSpan {
  readonly since: number;
  readonly until: number;
}

/** What one feed wants of a job. */
export interface JobWish {
  readonly author: string;
  readonly state: 'paused' | 'active' | 'forgotten';
  /** By the author's clock: milliseconds since the epoch. */
  readonly at: number;
  readonly until: number | null;
  /** Runs that started before are hidden. */
  readonly forgotten: number | null;
}

/** As run records have it. */
export type ScheduleText = Pick<RunRecord, 'every' | 'cron' | 'tz' | 'grace'>;

const JOBS = `SELECT id, source, destination, job, count(*) OVER () FROM (
   SELECT id, source, destination, job,
     (SELECT max(started) FROM run_records WHERE series = series.id AND started <= ?) AS last
   FROM series
   WHERE feed = (SELECT id FROM feeds WHERE feed = ?) AND job <> ''
     AND (? IS NULL OR source IN (SELECT value FROM json_each(?)))
     AND (? IS NULL OR destination IN (SELECT value FROM json_each(?)))
     AND (? IS NULL OR job IN (SELECT value FROM json_each(?)))
     AND EXISTS (SELECT 1 FROM run_records WHERE series = series.id)
) ORDER BY last DESC, id LIMIT ?`;

const JOB_RUNS = `SELECT ${RUN_COLUMNS}
   FROM run_records AS record
   JOIN runs ON runs.id = record.run
   JOIN feeds ON feeds.id = runs.feed
   JOIN series ON series.id = record.series
   WHERE record.series = ? AND record.started BETWEEN ? AND ?
   ORDER BY record.started DESC, record.run DESC LIMIT ?`;

const JOB_SCHEDULE = `SELECT every, cron, tz, grace FROM run_records
  WHERE series = ? AND started BETWEEN ? AND ? AND (every IS NOT NULL OR cron IS NOT NULL)
  ORDER BY started DESC, run DESC LIMIT 1`;

const LAST_GOOD_RUN = `SELECT started FROM run_records
  WHERE series = ? AND started BETWEEN ? AND ?
   AND state = 'end' AND (ifnull(exit, 0) = 0 OR ok = 1) AND signal IS NULL AND reason IS NULL
  ORDER BY started DESC LIMIT 1`;

const JOB_WISHES = `SELECT feeds.feed, state, at, until, forgotten FROM job_states AS wish JOIN feeds ON feeds.id = wish.author
  WHERE wish.feed = ? AND source = ? AND destination = ? AND job = ?`;

/** CROSS JOIN keeps the order: SQLite might look at all messages for their feeds. */
const LAST_MESSAGES = `SELECT feeds.feed, messages.received, messages.value ->> '$.timestamp'
  FROM feeds CROSS JOIN messages ON messages.feed = feeds.id AND messages.sequence = feeds.sequence`;

/** Those that must find their rows by an index, however many others there are. */
export const JOB_QUERIES = { JOBS, JOB_RUNS, JOB_SCHEDULE, LAST_GOOD_RUN, JOB_WISHES, LAST_MESSAGES } as const;

/**
 * A machine's jobs, the one that ran last first.
 * @param until runs that started later are dated in the future: they do not make a job a recent one
 * @returns at most `limit`, and how many there are
 */
export function readJobs(
  db: Database,
  feed: string,
  { filter, until, limit }: { filter: JobFilter; until: number; limit: number },
): { jobs: StoredJob[]; count: number } {
  const any = [filter.source, filter.destination, filter.job].map((names) =>
    names === undefined || names.length === 0 ? null : JSON.stringify(names),
  );
  const [source = null, destination = null, job = null] = any;
  const rows = db.all(JOBS, until, feed, ...[source, source, destination, destination, job, job], limit);
  const jobs = rows.map((row) => {
    const [id, from, to, name] = row as [number, string, string, string];
    return { id, feed, source: from || undefined, destination: to || undefined, job: name };
  });
  return { jobs, count: Number(rows[0]?.[4] ?? 0) };
}

/** A job's runs, the one that started last first. */
export function readJobRuns(db: Database, series: number, { since, until }: RunSpan, limit: number): RunRecord[] {
  return db.all(JOB_RUNS, series, since, until, limit).map(runRecord);
}

/** The schedule that the latest run with one brought. */
export function readJobSchedule(db: Database, series: number, { since, until }: RunSpan): ScheduleText | undefined {
  const row: Row | undefined = db.get(JOB_SCHEDULE, series, since, until);
  if (row === undefined) return undefined;
  const [every, cron, tz, grace] = row as [string | null, string | null, string | null, string | null];
  return { every, cron, tz, grace };
}

/** When the latest good run started; undefined when there is none. */
export function readLastGoodRun(db: Database, series: number, { since, until }: RunSpan): number | undefined {
  const row = db.get(LAST_GOOD_RUN, series, since, until);
  return row === undefined ? undefined : Number(row[0]);
}

export function readJobWishes(db: Database, { feed, source, destination, job }: Omit<StoredJob, 'id'>): JobWish[] {
  const rows = db.all(JOB_WISHES, feed, source ?? '', destination ?? '', job);
  return rows.map((row) => {
    const [author, state, at, until, forgotten] = row as [
      ...wish: [string, JobWish['state'], number],
      ...times: [number | null, number | null],
    ];
    return { author, state, at, until, forgotten };
  });
}

/** By feed id, of its last message: when it was made by its own clock, and when it came. */
export function readLastMessages(db: Database): Map<string, { made: number; received: number }> {
  const rows = db.all(LAST_MESSAGES);
  const times = new Map<string, { made: number; received: number }>();
  for (const [feed, received, made] of rows as [string, number, unknown][])
    times.set(feed, { made: typeof made === 'number' ? made : received, received });
  return times;
}
