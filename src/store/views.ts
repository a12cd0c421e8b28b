/**
 * Views with names for people, for other programs that read the database (docs/DATABASE.md). Only what plain SQLite
 * offers: none of them needs a function of ours. They are part of a released version: a change is a new migration.
 */

const LEVEL_TEXT = `CASE label.level WHEN 0 THEN 'emerg' WHEN 1 THEN 'alert' WHEN 2 THEN 'crit' WHEN 3 THEN 'err'
    WHEN 4 THEN 'warning' WHEN 5 THEN 'notice' WHEN 6 THEN 'info' WHEN 7 THEN 'debug' END`;

/** The name that a feed gave itself. */
const OWN_NAME = '(SELECT name FROM names WHERE names.author = feed.id AND names.about = feed.feed)';

/** Milliseconds since the epoch as ISO 8601 in UTC, which sorts as text. */
function iso(column: string): string {
  return `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;
}

/** '' stands for an absent label in `series`. */
function label(column: string): string {
  return `nullif(series.${column}, '') AS ${column}`;
}

/** @param more columns that a later version added at the end */
function logRuns(more = ''): string {
  return `CREATE VIEW log_runs AS
SELECT feed.feed AS feed, ${OWN_NAME} AS machine, ${label('source')}, ${label('destination')}, ${label('job')},
  runs.run AS run, record.state AS state,
  ${iso('coalesce(record.started, runs.first)')} AS started, ${iso('record.ended')} AS ended,
  coalesce(record.started, runs.first) AS started_ms, record.ended AS ended_ms,
  record.ended - record.started AS duration_ms, record.exit AS exit, record.signal AS signal,
  ${iso('runs.first')} AS first_line, ${iso('runs.last')} AS last_line,
  runs.progress AS records, record.lines AS lines, record.levels AS levels, record.every AS every, record.grace AS grace${more}
FROM runs
JOIN feeds AS feed ON feed.id = runs.feed
LEFT JOIN run_records AS record ON record.run = runs.id
LEFT JOIN series ON series.id = coalesce(record.series, runs.series);`;
}

export const VERSION_3 = `
CREATE VIEW machines AS
SELECT feed.feed AS id, ${OWN_NAME} AS name, feed.sequence AS messages, feed.lines AS lines,
  ${iso('feed.last_at')} AS last_line, feed.last_at AS last_line_ms, feed.unreadable AS unreadable
FROM feeds AS feed;

CREATE VIEW log_messages AS
SELECT feed.feed AS feed, ${OWN_NAME} AS machine, label.sequence AS sequence,
  ${label('source')}, ${label('destination')}, ${label('job')}, runs.run AS run,
  ${iso('label.first')} AS first_at, ${iso('label.last')} AS last_at, label.first AS first_ms, label.last AS last_ms,
  label.line AS line, label.lines AS lines, ${LEVEL_TEXT} AS level,
  CASE WHEN label.lines = 1 THEN (
    SELECT CAST(json_extract(messages.value, '$.content.text') AS TEXT) FROM messages WHERE messages.id = label.message
  ) END AS text
FROM labels AS label
JOIN series ON series.id = label.series
JOIN feeds AS feed ON feed.id = series.feed
LEFT JOIN runs ON runs.id = label.run;

${logRuns()}
`;

/** What VERSION_6 adds to run records. */
const COLUMNS_6 = ', record.reason AS reason, record.cron AS cron, record.tz AS tz';

export const VIEWS_6 = `
DROP VIEW IF EXISTS log_runs;
${logRuns(COLUMNS_6)}
`;

export const VIEWS_9 = `
DROP VIEW IF EXISTS log_runs;
${logRuns(`${COLUMNS_6}, record.ok AS ok`)}
`;
