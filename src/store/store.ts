/**
 * The store: every signed message, and beside it what readers need to find it. Knows messages, not peers: the mirror
 * of an engine or its record, it is the same.
 */
import { statSync } from 'node:fs';
import type { SignedMessage } from '../message/signed.ts';
import { areMessagesSound, fileProblems } from './check.ts';
import { readClockOffsets } from './clock-offset.ts';
import { compareDrawn, type Difference } from './compare.ts';
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
  readSpan,
  readValue,
  type Series,
} from './feed-query.ts';
import { Ingest, type IngestResult, type IsOwn } from './ingest.ts';
import {
  type JobFilter,
  type JobWish,
  type RunSpan,
  readJobRuns,
  readJobSchedule,
  readJobs,
  readJobWishes,
  readLastGoodRun,
  readLastMessages,
  type ScheduleText,
  type StoredJob,
} from './job-query.ts';
import { type LabelQuery, type LabelRow, queryLabels, readContinuation } from './label-query.ts';
import { type MessageLog, messageLog } from './message-log.ts';
import { getMeta, META, setMeta } from './meta.ts';
import { readClaims, readClaimsOf, readNotices, type SentNotice } from './notice-query.ts';
import type { PackedValue } from './packed-value.ts';
import { rebuildDrawn } from './rebuild.ts';
import { type Receipt, readReceipt } from './receipt.ts';
import { findRuns, queryRuns, type RunQuery, type RunRecord, type RunRef, runProgress, runText } from './run-query.ts';

export type { Receipt } from './receipt.ts';
export type { Contact, JobFilter, JobWish, LabelQuery, LabelRow, RunRecord, RunRef, ScheduleText, Series, StoredJob };

export interface Store {
  /** Path of the SQLite file. */
  readonly file: string;

  /**
   * Takes messages in, durably, all or none. What is there already is ignored.
   * @throws SsblogError `store` when a message is not the next one of its feed
   */
  ingest(messages: readonly SignedMessage[], isOwn?: IsOwn): IngestResult;
  /**
   * Calls when messages other than lines were taken in through this object, and are durable.
   * @returns a function that ends it
   */
  onRecords(listener: () => void): () => void;
  /** Drops all that came from a feed, so that it can be read again from its first message. */
  forgetFeed(feed: string): void;
  /**
   * Draws labels, runs, contacts and names anew from the messages, in one transaction that ends with the generator:
   * one that is left early changes nothing.
   * @returns the number of messages done so far, step by step
   */
  rebuild(): Generator<number, undefined>;
  /**
   * Draws all that once more beside the store and compares. Works on a store that is open to be read.
   * @returns the number of messages done so far, step by step, and at the end what is not as it should be
   */
  compare(): Generator<number, Difference[]>;

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
  /** Times of the oldest and the newest line: milliseconds since the epoch; undefined when there is none. */
  span(): { oldest: number; newest: number } | undefined;
  /** By feed id, milliseconds: above 0 where a machine's clock is ahead of this one's; without those not known. */
  clockOffsets(): Map<string, number>;

  /** Names by feed id: a name that `self` gave wins over the one that the feed gave itself. */
  names(self: string): Map<string, string>;
  contacts(): Contact[];
  /** What a machine has and lacks that holds a feed up to a message. */
  receipt(feed: string, sequence: number): Receipt;

  /** The highest record number of a run in a feed; 0 when there is none. */
  runProgress(feed: string, run: string): number;
  /** The latest record of each run, the run that started last first. */
  runs(query?: RunQuery): IterableIterator<RunRecord>;
  /** The runs with this id that have lines; more than one when several feeds use it. */
  findRuns(run: string): RunRef[];
  runText(id: number): string | undefined;
  /** The highest record number of a run, by `LabelRow.run`. */
  runEnd(id: number): number;

  /** A machine's jobs, the one that ran last (until `until`) first: at most `limit`, and how many there are. */
  jobs(
    feed: string,
    options: { filter: JobFilter; until: number; limit: number },
  ): { jobs: StoredJob[]; count: number };
  /** A job's runs, by `StoredJob.id`, the one that started last first. */
  jobRuns(id: number, span: RunSpan, limit: number): RunRecord[];
  /** The schedule that the latest run with one brought. */
  jobSchedule(id: number, span: RunSpan): ScheduleText | undefined;
  /** When the latest good run started. */
  lastGoodRun(id: number, span: RunSpan): number | undefined;
  /** What feeds want of a job; whose wishes count is for the caller to decide. */
  jobWishes(job: Omit<StoredJob, 'id'>): JobWish[];
  /** By feed id, of its last message: when it was made by its own clock, and when it came. */
  lastMessages(): Map<string, { made: number; received: number }>;

  /** The feeds whose machines say that they tell this person. */
  claims(to: string): string[];
  /** The persons whom a feed's machine says it tells. */
  claimsOf(feed: string): string[];
  /** Who told this person of these episodes, and when last. */
  notices(to: string, episodes: readonly string[]): SentNotice[];

  /** All combinations of labels there are. */
  allSeries(): IterableIterator<Series>;
  series(id: number): Series | undefined;
  /** Finds what may hold the lines that a reader wants. */
  labels(query: LabelQuery): IterableIterator<LabelRow>;
  /** The row whose first record has this number in its run, and goes on a line that an earlier row began. */
  continuation(run: number, line: number): LabelRow | undefined;
  /** A message's signed value, by `LabelRow.message`. */
  value(message: number): PackedValue | undefined;
  /** The id of the newest row of labels; 0 when there is none. */
  lastRow(): number;

  /** What is wrong with the file, a line each; `thorough` compares indexes with tables as well. */
  problems(thorough: boolean): string[];
  /** Whether all messages are as they were stored, whatever has become of labels and indexes of theirs. */
  areMessagesSound(): boolean;

  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;

  /** Changes whenever another process has changed the store: cheap enough to ask often. */
  dataVersion(): number;
  /** The file was deleted or made anew, or its labels were, since it was opened: who reads on must begin again. */
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
  const generation = getMeta(db, META.generation);
  const listeners = new Set<() => void>();
  let isOpen = true;
  return {
    file: db.file,
    ingest: (messages, isOwn) => {
      const result = writer().ingest(messages, isOwn);
      if (result.records > 0) for (const listener of [...listeners]) listener();
      return result;
    },
    onRecords: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    forgetFeed: (feed) => writer().forget(feed),
    rebuild: () => rebuildInTransaction(db, writer()),
    compare: () => compareDrawn(db),
    clock: () => readClock(db),
    message: (feed, sequence) => readMessage(db, feed, sequence),
    messages: (feed, afterSequence) => readMessages(db, feed, afterSequence),
    log: messageLog(db),
    messageCount: () => db.number('SELECT sum(sequence) FROM feeds'),
    lineCount: () => db.number('SELECT sum(lines) FROM feeds'),
    feeds: () => readFeeds(db),
    span: () => readSpan(db),
    clockOffsets: () => readClockOffsets(db),
    names: (self) => readNames(db, self),
    contacts: () => readContacts(db),
    receipt: (feed, sequence) => readReceipt(db, feed, sequence),
    runProgress: (feed, run) => runProgress(db, feed, run),
    runs: (query = {}) => queryRuns(db, query),
    findRuns: (run) => findRuns(db, run),
    runText: (id) => runText(db, id),
    runEnd: (id) => db.number('SELECT progress FROM runs WHERE id = ?', id),
    jobs: (feed, options) => readJobs(db, feed, options),
    jobRuns: (id, span, limit) => readJobRuns(db, id, span, limit),
    jobSchedule: (id, span) => readJobSchedule(db, id, span),
    lastGoodRun: (id, span) => readLastGoodRun(db, id, span),
    jobWishes: (job) => readJobWishes(db, job),
    lastMessages: () => readLastMessages(db),
    claims: (to) => readClaims(db, to),
    claimsOf: (feed) => readClaimsOf(db, feed),
    notices: (to, episodes) => readNotices(db, to, episodes),
    allSeries: () => readAllSeries(db),
    series: (id) => readSeries(db, id),
    labels: (query) => queryLabels(db, query),
    continuation: (run, line) => readContinuation(db, run, line),
    value: (message) => readValue(db, message),
    lastRow: () => db.number('SELECT max(id) FROM labels'),
    problems: (thorough) => fileProblems(db, thorough),
    areMessagesSound: () => areMessagesSound(db),
    meta: (key) => getMeta(db, key),
    setMeta: (key, value) => setMeta(db, key, value),
    dataVersion: () => db.number('PRAGMA data_version'),
    isReplaced: () => inodeOf(db.file) !== inode || getMeta(db, META.generation) !== generation,
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      if (!readOnly) checkpoint(db);
      db.close();
    },
  };
}

function* rebuildInTransaction(db: Database, ingest: Ingest): Generator<number, undefined> {
  let isDone = false;
  db.exec('BEGIN IMMEDIATE');
  try {
    yield* rebuildDrawn(db, ingest);
    db.exec('COMMIT');
    isDone = true;
  } finally {
    if (!isDone) {
      db.rollback();
      ingest.reset();
    }
  }
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
