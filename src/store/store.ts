/**
 * The store: every signed message, and beside it what readers need to find it. Knows messages, not peers: the mirror
 * of an engine or its record, it is the same.
 */
import { statSync } from 'node:fs';
import type { SignedMessage } from '../message/signed.ts';
import { readClockOffsets } from './clock-offset.ts';
import type { Database } from './database.ts';
import {
  type Contact,
  type FeedTotals,
  readAllSeries,
  readClock,
  readContacts,
  readFeeds,
  readMessage,
  readMessages,
  readNames,
  readSeries,
  readValue,
  type Series,
} from './feed-query.ts';
import { Ingest, type IngestResult } from './ingest.ts';
import { type LabelQuery, type LabelRow, queryLabels, readContinuation } from './label-query.ts';
import { type MessageLog, messageLog } from './message-log.ts';
import { getMeta, setMeta } from './meta.ts';
import { findRuns, queryRuns, type RunQuery, type RunRecord, type RunRef, runProgress, runText } from './run-query.ts';

export type { Contact, LabelQuery, LabelRow, RunRef, Series };

export interface Store {
  /** Path of the SQLite file. */
  readonly file: string;

  /**
   * Takes messages in, durably, all or none. What is there already is ignored.
   * @throws SsblogError `store` when a message is not the next one of its feed
   */
  ingest(messages: readonly SignedMessage[]): IngestResult;
  /** Drops all that came from a feed, so that it can be read again from its first message. */
  forgetFeed(feed: string): void;

  /** The sequence of each feed's last message. */
  clock(): Map<string, number>;
  message(feed: string, sequence: number): SignedMessage | undefined;
  /** A feed's messages in their order, from the one after `afterSequence` on. */
  messages(feed: string, afterSequence: number): IterableIterator<SignedMessage>;
  /** Messages as such: by key, by receipt, by feed. */
  readonly log: MessageLog;
  messageCount(): number;
  lineCount(): number;
  feeds(): FeedTotals[];
  /** By feed id, milliseconds: above 0 where a machine's clock is ahead of this one's; without those not known. */
  clockOffsets(): Map<string, number>;

  /** Names by feed id: a name that `self` gave wins over the one that the feed gave itself. */
  names(self: string): Map<string, string>;
  contacts(): Contact[];

  /** The highest record number of a run in a feed; 0 when there is none. */
  runProgress(feed: string, run: string): number;
  /** The latest record of each run, the run that started last first. */
  runs(query?: RunQuery): IterableIterator<RunRecord>;
  /** The runs with this id that have lines; more than one when several feeds use it. */
  findRuns(run: string): RunRef[];
  runText(id: number): string | undefined;
  /** The highest record number of a run, by `LabelRow.run`. */
  runEnd(id: number): number;

  /** All combinations of labels there are. */
  allSeries(): IterableIterator<Series>;
  series(id: number): Series | undefined;
  /** Finds what may hold the lines that a reader wants. */
  labels(query: LabelQuery): IterableIterator<LabelRow>;
  /** The row whose first record has this number in its run, and goes on a line that an earlier row began. */
  continuation(run: number, line: number): LabelRow | undefined;
  /** A message's signed value as JSON, by `LabelRow.message`. */
  value(message: number): string | undefined;
  /** The id of the newest row of labels; 0 when there is none. */
  lastRow(): number;

  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;

  /** Changes whenever another process has changed the store: cheap enough to ask often. */
  dataVersion(): number;
  /** The file was deleted or made anew since it was opened: who reads on must open it again. */
  isReplaced(): boolean;
  close(): void;
}

export function createStore(db: Database, { readOnly }: { readOnly: boolean }): Store {
  const ingest = readOnly ? undefined : new Ingest(db);
  const writer = () => {
    if (ingest === undefined) throw new Error('the store is open to be read only');
    return ingest;
  };
  const inode = inodeOf(db.file);
  let isOpen = true;
  return {
    file: db.file,
    ingest: (messages) => writer().ingest(messages),
    forgetFeed: (feed) => writer().forget(feed),
    clock: () => readClock(db),
    message: (feed, sequence) => readMessage(db, feed, sequence),
    messages: (feed, afterSequence) => readMessages(db, feed, afterSequence),
    log: messageLog(db),
    messageCount: () => db.number('SELECT sum(sequence) FROM feeds'),
    lineCount: () => db.number('SELECT sum(lines) FROM feeds'),
    feeds: () => readFeeds(db),
    clockOffsets: () => readClockOffsets(db),
    names: (self) => readNames(db, self),
    contacts: () => readContacts(db),
    runProgress: (feed, run) => runProgress(db, feed, run),
    runs: (query = {}) => queryRuns(db, query),
    findRuns: (run) => findRuns(db, run),
    runText: (id) => runText(db, id),
    runEnd: (id) => db.number('SELECT progress FROM runs WHERE id = ?', id),
    allSeries: () => readAllSeries(db),
    series: (id) => readSeries(db, id),
    labels: (query) => queryLabels(db, query),
    continuation: (run, line) => readContinuation(db, run, line),
    value: (message) => readValue(db, message),
    lastRow: () => db.number('SELECT max(id) FROM labels'),
    meta: (key) => getMeta(db, key),
    setMeta: (key, value) => setMeta(db, key, value),
    dataVersion: () => db.number('PRAGMA data_version'),
    isReplaced: () => inodeOf(db.file) !== inode,
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      if (!readOnly) checkpoint(db);
      db.close();
    },
  };
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** Puts everything into the main file, so that a copy of it is a copy of the store. */
function checkpoint(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // It is durable in the WAL as well; the next checkpoint takes it over.
  }
}
