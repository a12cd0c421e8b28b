/** Reads of messages as such, page by page, for an engine whose record the store is: by key, by receipt, by feed. */
import type { SignedMessage } from '../message/signed.ts';
import type { Database, Row } from './database.ts';
import { findKey } from './message-keys.ts';
import { unpackValue } from './packed-value.ts';

/** A message and its row's id: ids grow in the order in which messages were stored. */
export interface StoredMessage extends SignedMessage {
  readonly id: number;
}

/** A place in the order of receipt: messages of one time are in the order of their ids. */
export type Receipt = readonly [received: number, id: number];

interface ReceiptQuery {
  /** Only what lies between these places, both excluded. */
  readonly after: Receipt;
  readonly before: Receipt;
  /** Only messages whose row has at most this id. */
  readonly maxId: number;
  readonly reverse: boolean;
  readonly limit: number;
}

interface FeedQuery {
  readonly feed: string;
  /** Sequences, both included. */
  readonly from: number;
  readonly to: number;
  readonly reverse: boolean;
  readonly limit: number;
}

/** When a message was received, and when its author says that it was made. */
export interface MessageTimes {
  readonly id: number;
  readonly received: number;
  readonly claimed: number | null;
}

export interface MessageLog {
  byKey(key: string): StoredMessage | undefined;
  byId(id: number): StoredMessage | undefined;
  /** The highest id; 0 when there is no message. */
  lastId(): number;
  /** The latest time of receipt; 0 when there is no message. */
  lastReceived(): number;
  byReceipt(query: ReceiptQuery): StoredMessage[];
  afterId(id: number, limit: number): StoredMessage[];
  ofFeed(query: FeedQuery): SignedMessage[];
  /** Contents of a feed's messages that are encrypted; sequences, both included. */
  boxes(feed: string, from: number, to: number): string[];
  times(afterId: number, limit: number): MessageTimes[];
  /** A feed's last message. */
  head(feed: string): { key: string; sequence: number } | undefined;
}

const COLUMNS = 'SELECT id, key, value, data, received FROM messages';

export function messageLog(db: Database): MessageLog {
  const byId = (id: number) => message(db.get(`${COLUMNS} WHERE id = ?`, id));
  return {
    byKey: (key) => {
      const id = findKey(db, key);
      return id === undefined ? undefined : byId(id);
    },
    byId,
    lastId: () => db.number('SELECT max(id) FROM messages'),
    lastReceived: () => db.number('SELECT max(received) FROM messages'),
    byReceipt: ({ after, before, maxId, reverse, limit }) => {
      const order = reverse ? 'received DESC, id DESC' : 'received, id';
      const rows = db.all(
        `${COLUMNS} WHERE (received, id) > (?, ?) AND (received, id) < (?, ?) AND id <= ? ORDER BY ${order} LIMIT ?`,
        ...after,
        ...before,
        maxId,
        limit,
      );
      return rows.map(stored);
    },
    afterId: (id, limit) => db.all(`${COLUMNS} WHERE id > ? ORDER BY id LIMIT ?`, id, limit).map(stored),
    ofFeed: ({ feed, from, to, reverse, limit }) => {
      const rows = db.all(
        `${COLUMNS} WHERE feed = (SELECT id FROM feeds WHERE feed = ?) AND sequence BETWEEN ? AND ?
         ORDER BY sequence ${reverse ? 'DESC' : 'ASC'} LIMIT ?`,
        feed,
        from,
        to,
        limit,
      );
      return rows.map((row) => unnumbered(stored(row)));
    },
    boxes: (feed, from, to) => {
      // Most messages are told by their text: reading it as JSON takes ten times longer.
      const rows = db.all(
        `SELECT value ->> '$.content' FROM messages WHERE feed = (SELECT id FROM feeds WHERE feed = ?)
         AND sequence BETWEEN ? AND ? AND instr(value, '.box"') > 0 AND json_type(value, '$.content') = 'text'
         ORDER BY sequence`,
        feed,
        from,
        to,
      );
      return rows.map(([content]) => String(content));
    },
    times: (afterId, limit) => {
      const rows = db.all(
        `SELECT id, received, value ->> '$.timestamp' FROM messages WHERE id > ? ORDER BY id LIMIT ?`,
        afterId,
        limit,
      );
      return rows.map((row) => {
        const [id, received, claimed] = row as [number, number, number | string | null];
        return { id, received, claimed: typeof claimed === 'number' ? claimed : null };
      });
    },
    head: (feed) => {
      const row = db.get(
        `SELECT messages.key, feeds.sequence FROM feeds JOIN messages
         ON messages.feed = feeds.id AND messages.sequence = feeds.sequence WHERE feeds.feed = ?`,
        feed,
      );
      if (row === undefined) return undefined;
      const [key, sequence] = row as [string, number];
      return { key, sequence };
    },
  };
}

function message(row: Row | undefined): StoredMessage | undefined {
  return row === undefined ? undefined : stored(row);
}

function stored(row: Row): StoredMessage {
  const [id, key, text, data, timestamp] = row as [number, string, string, Uint8Array | null, number];
  return { id, key, value: unpackValue({ text, data }), timestamp };
}

function unnumbered({ key, value, timestamp }: StoredMessage): SignedMessage {
  return { key, value, timestamp };
}
