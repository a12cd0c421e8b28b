/**
 * The tables. Messages are kept as they were signed; everything else is drawn from them and only makes reading fast:
 * labels are indexed, text is not.
 */

/** `PRAGMA application_id`: "SSBL", so that no other SQLite file is taken for a store. */
export const APPLICATION_ID = 0x5353424c;

/**
 * - `feeds.sequence` is the last message's; messages come without gaps, so it is their count as well.
 * - `series` is a combination of labels, '' for an absent one: few rows, however long the log is.
 * - `runs` says which records of a run there are: all up to `progress` except `gaps` (JSON, NULL for none).
 *   `open` says which streams' last line goes on (see line-state.ts), in messages of `series`; `first` and `last` are
 *   the times of its lines.
 * - `labels` has a row for each stretch of records that a message adds to the log: `line` its first record's number
 *   (NULL: the message has none), `first` and `last` its records' times, `level` the worst one's rank,
 *   `open` as in `runs`, before its first record. Its ids never repeat: readers follow by them.
 *   Most rows are of one record, where `first` = `last`: only the others need the second index of times.
 */
export const VERSION_1 = `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE feeds (
  id INTEGER PRIMARY KEY,
  feed TEXT NOT NULL UNIQUE,
  sequence INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  last_at INTEGER,
  unreadable INTEGER NOT NULL
);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  key TEXT NOT NULL,
  received NUMERIC NOT NULL,
  value TEXT NOT NULL
);
CREATE UNIQUE INDEX messages_by_sequence ON messages (feed, sequence);

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL,
  source TEXT NOT NULL,
  destination TEXT NOT NULL,
  job TEXT NOT NULL,
  UNIQUE (feed, source, destination, job)
);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  feed INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  gaps TEXT,
  open INTEGER NOT NULL,
  series INTEGER,
  first INTEGER,
  last INTEGER,
  UNIQUE (run, feed)
);
CREATE INDEX runs_by_feed ON runs (feed);

CREATE TABLE labels (
  id INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  message INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  run INTEGER,
  line INTEGER,
  lines INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  level INTEGER,
  open INTEGER NOT NULL
);
CREATE INDEX labels_by_time ON labels (first);
CREATE INDEX labels_by_series ON labels (series, first);
CREATE INDEX labels_by_end ON labels (last, first) WHERE last > first;

CREATE TABLE run_records (
  run INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  state TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  exit INTEGER,
  signal TEXT,
  lines INTEGER,
  levels TEXT,
  every TEXT,
  grace TEXT
);
CREATE INDEX run_records_by_start ON run_records (started);

CREATE TABLE contacts (
  author INTEGER NOT NULL,
  contact TEXT NOT NULL,
  following INTEGER NOT NULL,
  blocking INTEGER NOT NULL,
  PRIMARY KEY (author, contact)
) WITHOUT ROWID;

CREATE TABLE names (
  author INTEGER NOT NULL,
  about TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (author, about)
) WITHOUT ROWID;
`;

/**
 * What an engine needs whose record the store is. Of a key only the beginning is in the index, 48 bits: ids are
 * random, so that finds one message, in a fifth of the space.
 */
export const VERSION_2 = `
CREATE INDEX messages_by_received ON messages (received);
CREATE INDEX messages_by_key ON messages (substr(key, 2, 8));
`;

/**
 * The rows that go on a line which an earlier row began: few, but they must be found at once, or a feed of lines
 * without an end keeps its readers busy for ever.
 */
export const VERSION_4 = `
CREATE INDEX labels_by_continuation ON labels (run, line) WHERE open <> 0;
`;

/** A block's data is kept as bytes (packed-value.ts): NULL in messages without, and in those stored before. */
export const VERSION_5 = `
ALTER TABLE messages ADD COLUMN data BLOB;
`;

/**
 * - A run's schedule may be a cron expression; `reason` says why it has no exit code of its own.
 * - `job_states` has what each feed wants of a job, by its latest message: a job is that of `feed` (an id as text, of
 *   which nothing else need be known), with '' for absent labels. Runs that started before `forgotten` are hidden.
 * - A job's last runs, its last schedule and its last good run are found at once, however many runs it had.
 */
export const VERSION_6 = `
ALTER TABLE run_records ADD COLUMN reason TEXT;
ALTER TABLE run_records ADD COLUMN cron TEXT;
ALTER TABLE run_records ADD COLUMN tz TEXT;
CREATE INDEX run_records_by_series ON run_records (series, started);
CREATE INDEX run_records_with_schedule ON run_records (series, started) WHERE every IS NOT NULL OR cron IS NOT NULL;
CREATE INDEX run_records_good ON run_records (series, started)
  WHERE state = 'end' AND ifnull(exit, 0) = 0 AND signal IS NULL AND reason IS NULL;

CREATE TABLE job_states (
  feed TEXT NOT NULL,
  source TEXT NOT NULL,
  destination TEXT NOT NULL,
  job TEXT NOT NULL,
  author INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER,
  forgotten INTEGER,
  PRIMARY KEY (feed, source, destination, job, author)
) WITHOUT ROWID;
CREATE INDEX job_states_by_author ON job_states (author);
`;

/**
 * `notices`: whom each feed's machine tells, and what it told. A row without an episode ('') is its claim (`active`: not
 * released), the others are episodes that it told, `at` last.
 */
export const VERSION_7 = `
CREATE TABLE notices (
  recipient TEXT NOT NULL,
  episode TEXT NOT NULL,
  author INTEGER NOT NULL,
  at INTEGER NOT NULL,
  active INTEGER NOT NULL,
  PRIMARY KEY (recipient, episode, author)
) WITHOUT ROWID;
CREATE INDEX notices_by_author ON notices (author);
`;

/** Keys enter an index many at a time (message-keys.ts): each at once cost as much as all the rest of a message. */
export const VERSION_8 = `
DROP INDEX messages_by_key;
CREATE TABLE message_keys (
  start TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (start, message)
) WITHOUT ROWID;
INSERT INTO message_keys SELECT substr(key, 2, 8), id FROM messages ORDER BY 1, 2;
INSERT INTO meta SELECT 'store.last-key', coalesce(max(id), 0) FROM messages;
`;

/** `ok`: its exit code is one of a job that did its work, though it is not 0. */
export const VERSION_9 = `
ALTER TABLE run_records ADD COLUMN ok INTEGER NOT NULL DEFAULT 0;
DROP INDEX run_records_good;
CREATE INDEX run_records_good ON run_records (series, started)
  WHERE state = 'end' AND (ifnull(exit, 0) = 0 OR ok = 1) AND signal IS NULL AND reason IS NULL;
`;

/** Every table of the newest version, to know a store from a file that merely looks like one. */
export const TABLES = [
  'contacts',
  'feeds',
  'job_states',
  'labels',
  'message_keys',
  'messages',
  'meta',
  'names',
  'notices',
  'run_records',
  'runs',
  'series',
] as const;
