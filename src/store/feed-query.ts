/** Feeds, their messages, and what they say about each other. */
import type { SignedMessage } from '../message/signed.ts';
import type { Database, Row } from './database.ts';
import { type PackedValue, unpackValue } from './packed-value.ts';
import { pagedRows } from './pages.ts';

export interface FeedTotals {
  readonly id: string;
  /** Also the last message's sequence. */
  readonly messages: number;
  /** Lines in the log: the pieces of a long line count as one. */
  readonly lines: number;
  /** The latest line's time: milliseconds since the epoch. */
  readonly lastAt: number | undefined;
  /** Messages of a type of ours that do not hold what they must. */
  readonly unreadable: number;
}

/** The latest that one feed says about another. */
export interface Contact {
  readonly from: string;
  readonly to: string;
  readonly following: boolean;
  readonly blocking: boolean;
}

/** The labels that many rows share. Absent ones are undefined. */
export interface Series {
  readonly id: number;
  readonly feed: string;
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly job: string | undefined;
}

export function readClock(db: Database): Map<string, number> {
  return new Map(db.all('SELECT feed, sequence FROM feeds').map((row) => row as [string, number]));
}

export function readFeeds(db: Database): FeedTotals[] {
  return db.all('SELECT feed, sequence, lines, last_at, unreadable FROM feeds').map((row) => {
    const [id, messages, lines, lastAt, unreadable] = row as [string, number, number, number | null, number];
    return { id, messages, lines, lastAt: lastAt ?? undefined, unreadable };
  });
}

/** Two looks, however long the log is: the first entry of the index of times, and the totals of feeds. */
export function readSpan(db: Database): { oldest: number; newest: number } | undefined {
  const oldest = db.get('SELECT min(first) FROM labels')?.[0];
  const newest = db.get('SELECT max(last_at) FROM feeds')?.[0];
  return typeof oldest === 'number' && typeof newest === 'number' ? { oldest, newest } : undefined;
}

const MESSAGE = 'SELECT key, value, data, received, sequence FROM messages';
const OF_FEED = 'feed = (SELECT id FROM feeds WHERE feed = ?)';
const SEQUENCE = 4;

export function readMessage(db: Database, feed: string, sequence: number): SignedMessage | undefined {
  const row = db.get(`${MESSAGE} WHERE ${OF_FEED} AND sequence = ?`, feed, sequence);
  return row === undefined ? undefined : signedMessage(row);
}

/** In the feed's order, from the message after `after` on. */
export function* readMessages(db: Database, feed: string, after: number): Generator<SignedMessage, undefined> {
  const rows = pagedRows(db, {
    sql: `${MESSAGE} WHERE ${OF_FEED} AND sequence > ? ORDER BY sequence LIMIT ?`,
    values: [feed],
    start: [after],
    keyOf: (row) => [row[SEQUENCE] as number],
  });
  for (const row of rows) yield signedMessage(row);
}

function signedMessage(row: Row): SignedMessage {
  const [key, text, data, timestamp] = row as [string, string, Uint8Array | null, number];
  return { key, value: unpackValue({ text, data }), timestamp };
}

/** A message's signed value, by the id that labels have of it. */
export function readValue(db: Database, message: number): PackedValue | undefined {
  const row = db.get('SELECT value, data FROM messages WHERE id = ?', message);
  if (row === undefined) return undefined;
  const [text, data] = row as [string, Uint8Array | null];
  return { text, data };
}

/**
 * A name that `self` gave wins over the one that a feed gave itself; what others call it does not count. A name that
 * `self` gave to one feed cannot be taken by another: that one is then without a name.
 */
export function readNames(db: Database, self: string): Map<string, string> {
  const rows = db.all(
    `SELECT about, name, feeds.feed = ? FROM names JOIN feeds ON feeds.id = names.author
     WHERE feeds.feed IN (about, ?) ORDER BY feeds.feed = ? DESC`,
    self,
    self,
    self,
  );
  const names = new Map<string, string>();
  const given = new Set<string>();
  for (const row of rows) {
    const [about, name, isGiven] = row as [string, string, number];
    if (isGiven === 1) given.add(name);
    else if (names.has(about) || given.has(name)) continue;
    names.set(about, name);
  }
  return names;
}

export function readContacts(db: Database): Contact[] {
  const rows = db.all(
    'SELECT feeds.feed, contact, following, blocking FROM contacts JOIN feeds ON feeds.id = contacts.author',
  );
  return rows.map((row) => {
    const [from, to, following, blocking] = row as [string, string, number, number];
    return { from, to, following: following === 1, blocking: blocking === 1 };
  });
}

const SERIES = `SELECT series.id, feeds.feed, source, destination, job
  FROM series JOIN feeds ON feeds.id = series.feed`;

export function* readAllSeries(db: Database): Generator<Series, undefined> {
  const rows = pagedRows(db, {
    sql: `${SERIES} WHERE series.id > ? ORDER BY series.id LIMIT ?`,
    values: [],
    start: [0],
    keyOf: (row) => [row[0] as number],
  });
  for (const row of rows) yield seriesOf(row);
}

export function readSeries(db: Database, id: number): Series | undefined {
  const row = db.get(`${SERIES} WHERE series.id = ?`, id);
  return row === undefined ? undefined : seriesOf(row);
}

function seriesOf(row: Row): Series {
  const [id, feed, source, destination, job] = row as [number, string, string, string, string];
  return { id, feed, source: source || undefined, destination: destination || undefined, job: job || undefined };
}
