/**
 * Messages in: each as it was signed, with what readers need to find it. Their content is untrusted until it has been
 * checked here.
 */
import { SsblogError } from '../errors.ts';
import {
  type AboutContent,
  type ContactContent,
  type Content,
  type LogBlockContent,
  type LogContent,
  type LogJobContent,
  type LogNoticeContent,
  type LogRunContent,
  type ParsedContent,
  parseContent,
  relationOf,
} from '../message/content.ts';
import { decodeLog } from '../message/log.ts';
import type { SignedMessage, SignedValue } from '../message/signed.ts';
import { BulkInsert } from './bulk-insert.ts';
import { cover, type Range } from './coverage.ts';
import type { Database } from './database.ts';
import { Dictionary, type FeedState, type RunState } from './dictionary.ts';
import { type Labelled, labelBlock, labelRecord } from './label.ts';
import { NONE_OPEN, type OpenStreams } from './line-state.ts';
import { clearKeys, enterKeys, lastEntered } from './message-keys.ts';
import { META, setMeta } from './meta.ts';
import { packValue } from './packed-value.ts';

/** Where a message stands in the store. */
interface Place {
  readonly feed: FeedState;
  /** `messages.id` */
  readonly message: number;
  readonly sequence: number;
  readonly isOwn: boolean;
}

export type IsOwn = (message: SignedMessage) => boolean;

export interface IngestResult {
  /** Messages that were not in the store. */
  readonly messages: number;
  /** Lines that they added to the log. */
  readonly lines: number;
  /** Messages that may change the state of a job, or who tells of it: run records and what is not about lines. */
  readonly records: number;
}

export class Ingest {
  readonly #db: Database;
  readonly #dictionary: Dictionary;
  readonly #messages: BulkInsert;
  readonly #labels: BulkInsert;
  /** What is in memory is what the tables held at this version of theirs. */
  #dataVersion: number | undefined;
  #lastMessage = 0;
  #lastLabel = 0;
  #records = 0;
  /** Of the index by key. */
  #lastEntered = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#dictionary = new Dictionary(db);
    this.#messages = new BulkInsert(db, 'messages', 7);
    this.#labels = new BulkInsert(db, 'labels', 11);
  }

  /**
   * One transaction: all or nothing.
   * @param isOwn whether this machine's writer made the message's content, which is not checked once more
   * @throws SsblogError `store` when a message is not the next one of its feed
   */
  ingest(messages: readonly SignedMessage[], isOwn: IsOwn = () => false): IngestResult {
    if (messages.length === 0) return { messages: 0, lines: 0, records: 0 };
    return this.#transaction(() => {
      let [added, lines] = [0, 0];
      this.#records = 0;
      for (const message of messages) {
        const feed = this.#dictionary.feed(message.value.author);
        if (message.value.sequence <= feed.sequence) continue;
        const before = feed.lines;
        this.#add(feed, message, isOwn(message));
        added += 1;
        lines += feed.lines - before;
      }
      this.flush();
      this.#lastEntered = enterKeys(this.#db, this.#lastEntered, this.#lastMessage);
      return { messages: added, lines, records: this.#records };
    });
  }

  /** Drops all that came from a feed, so that it can be read again from its first message. */
  forget(feed: string): void {
    this.#transaction(() => {
      const [id] = this.#db.get('SELECT id FROM feeds WHERE feed = ?', feed) ?? [];
      if (id === undefined || id === null) return;
      // Readers that follow must not meet a row id for the second time.
      setMeta(this.#db, META.labelFloor, String(this.#lastLabel));
      this.#db.run('DELETE FROM labels WHERE series IN (SELECT id FROM series WHERE feed = ?)', id);
      this.#db.run('DELETE FROM run_records WHERE run IN (SELECT id FROM runs WHERE feed = ?)', id);
      for (const table of ['series', 'runs', 'messages']) this.#db.run(`DELETE FROM ${table} WHERE feed = ?`, id);
      for (const table of ['job_states', 'notices', 'contacts', 'names'])
        this.#db.run(`DELETE FROM ${table} WHERE author = ?`, id);
      this.#db.run('DELETE FROM feeds WHERE id = ?', id);
      clearKeys(this.#db);
      this.#lastEntered = 0;
      this.#dictionary.reset();
    });
  }

  /**
   * Labels a message that is in the store already. To be called in the order in which messages were stored, in a
   * transaction of the caller's, and followed by `flush`.
   */
  relabel(message: number, value: SignedValue): void {
    this.#refresh();
    const feed = this.#dictionary.feed(value.author);
    this.#label({ feed, message, sequence: value.sequence, isOwn: false }, value);
  }

  /** Writes what waits. */
  flush(): void {
    this.#messages.flush();
    this.#labels.flush();
    this.#dictionary.flush();
  }

  #transaction<T>(work: () => T): T {
    try {
      return this.#db.transaction(() => {
        this.#refresh();
        return work();
      });
    } catch (error) {
      this.reset();
      throw error;
    }
  }

  /** Must be called when tables were changed otherwise, or a transaction of the caller's was undone. */
  reset(): void {
    this.#dataVersion = undefined;
    this.#messages.clear();
    this.#labels.clear();
  }

  /** Another connection has written, or the last transaction failed: what is in memory counts for nothing. */
  #refresh(): void {
    const version = this.#db.number('PRAGMA data_version');
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#dictionary.reset();
    this.#lastMessage = this.#db.number('SELECT max(id) FROM messages');
    const floor = this.#db.number('SELECT value FROM meta WHERE key = ?', META.labelFloor);
    this.#lastEntered = lastEntered(this.#db);
    this.#lastLabel = Math.max(floor, this.#db.number('SELECT max(id) FROM labels'));
  }

  #add(feed: FeedState, { key, value, timestamp }: SignedMessage, isOwn: boolean): void {
    const { sequence } = value;
    if (sequence !== feed.sequence + 1)
      throw new SsblogError('store', `message ${sequence} of ${feed.feed} came after message ${feed.sequence}`, {
        hint: 'messages of a feed must come without gaps',
      });
    feed.sequence = sequence;
    this.#lastMessage += 1;
    const { text, data } = packValue(value);
    this.#messages.add(this.#lastMessage, feed.id, sequence, key, timestamp, text, data);
    this.#label({ feed, message: this.#lastMessage, sequence, isOwn }, value, data);
  }

  /** @param data of a block, where it is known already */
  #label(place: Place, value: SignedValue, data: Uint8Array | null = null): void {
    // The writer's contents were checked on their way to it.
    const parsed: ParsedContent = place.isOwn
      ? { kind: 'known', content: value.content as Content }
      : parseContent(value.content);
    if (parsed.kind === 'unreadable') place.feed.unreadable += 1;
    if (parsed.kind === 'known') this.#file(place, parsed.content, value, data);
  }

  #file(place: Place, content: Content, value: SignedValue, data: Uint8Array | null): void {
    if (content.type !== 'log' && content.type !== 'log-block') this.#records += 1;
    switch (content.type) {
      case 'log':
        this.#fileLine(place, content, value);
        break;
      case 'log-block':
        this.#fileBlock(place, content, data);
        break;
      case 'log-run':
        this.#fileRun(place, content);
        break;
      case 'log-job':
        this.#fileJobState(place, content);
        break;
      case 'log-overdue':
        break; // that it was made is what it says
      case 'log-notice':
        this.#fileNotice(place, content);
        break;
      case 'contact':
        this.#fileContact(place, content);
        break;
      case 'about':
        this.#fileName(place, content);
        break;
    }
  }

  #fileLine(place: Place, content: LogContent, value: SignedValue): void {
    const series = this.#dictionary.series(place.feed, content);
    const record = decodeLog(content, value);
    if (content.run === undefined || content.line === undefined) {
      // No number in a run: it cannot come twice, and it belongs to no longer line.
      const run = content.run === undefined ? undefined : this.#dictionary.run(place.feed, content.run);
      const { labels, ended } = labelRecord(record, content.line ?? null, NONE_OPEN);
      this.#addLabels(place, { series, run, labels, ended });
      return;
    }
    const { line } = content;
    this.#addRecords(place, content.run, { series, range: [line, line] }, (_fresh, openBefore) =>
      labelRecord(record, line, openBefore(line)),
    );
  }

  #fileBlock(place: Place, content: LogBlockContent, data: Uint8Array | null): void {
    const series = this.#dictionary.series(place.feed, content);
    const range: Range = [content.line, content.line + content.lines - 1];
    try {
      this.#addRecords(place, content.run, { series, range }, (fresh, openBefore) =>
        labelBlock({ content, data, isOwn: place.isOwn }, fresh, openBefore),
      );
    } catch (error) {
      if (!(error instanceof SsblogError) || error.code === 'store') throw error;
      place.feed.unreadable += 1;
    }
  }

  /** Adds those of a run's records that are not in the log yet. Changes nothing when `labelled` throws. */
  #addRecords(
    place: Place,
    runId: string,
    { series, range }: { series: number; range: Range },
    labelled: (fresh: readonly Range[], openBefore: (line: number) => OpenStreams) => Labelled,
  ): void {
    const run = this.#dictionary.run(place.feed, runId);
    const { fresh, coverage } = cover(run.coverage, range);
    if (fresh.length === 0) return;
    // Only a record that follows the last one, under the same labels, can go on its line.
    const open = run.series === series ? run.open : NONE_OPEN;
    const next = run.coverage.progress + 1;
    const added = labelled(fresh, (line) => (line === next ? open : NONE_OPEN));
    if (coverage.progress > run.coverage.progress) {
      run.open = added.open;
      run.series = series;
    }
    run.coverage = coverage;
    this.#addLabels(place, { series, run, ...added });
  }

  #addLabels(
    { feed, message, sequence }: Place,
    { series, run, labels, ended }: Omit<Labelled, 'open'> & { series: number; run: RunState | undefined },
  ): void {
    const runId = run?.id ?? null;
    for (const { line, lines, first, last, level, open } of labels) {
      this.#lastLabel += 1;
      this.#labels.add(this.#lastLabel, series, message, sequence, runId, line, lines, first, last, level, open);
      feed.lastAt = Math.max(feed.lastAt ?? last, last);
      if (run === undefined) continue;
      run.first = Math.min(run.first ?? first, first);
      run.last = Math.max(run.last ?? last, last);
    }
    feed.lines += ended;
  }

  /** A run's end says all that its start said, and more: it is never replaced by a start that comes late. */
  #fileRun({ feed }: Place, content: LogRunContent): void {
    this.#db.run(
      `INSERT INTO run_records
         (run, series, state, started, ended, exit, ok, signal, reason, lines, levels, every, cron, tz, grace)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run) DO UPDATE SET series = excluded.series, state = excluded.state, started = excluded.started,
         ended = excluded.ended, exit = excluded.exit, ok = excluded.ok, signal = excluded.signal, reason = excluded.reason,
         lines = excluded.lines, levels = excluded.levels, every = coalesce(excluded.every, every),
         cron = coalesce(excluded.cron, cron), tz = coalesce(excluded.tz, tz), grace = coalesce(excluded.grace, grace)
       WHERE state = 'start' OR excluded.state = 'end'`,
      this.#dictionary.run(feed, content.run).id,
      this.#dictionary.series(feed, content),
      content.state,
      content.started,
      content.ended ?? null,
      content.exit ?? null,
      content.ok === true ? 1 : 0,
      content.signal ?? null,
      content.reason ?? null,
      content.lines ?? null,
      content.levels === undefined ? null : JSON.stringify(content.levels),
      content.every ?? null,
      content.cron ?? null,
      content.tz ?? null,
      content.grace ?? null,
    );
  }

  /** What one feed wanted last. Whoever reads decides whose wishes count. */
  #fileJobState({ feed }: Place, content: LogJobContent): void {
    const forgotten = content.state === 'forgotten' ? content.at : null;
    this.#db.run(
      `INSERT INTO job_states (feed, source, destination, job, author, state, at, until, forgotten)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at, until = excluded.until,
         forgotten = ifnull(excluded.forgotten, forgotten)`,
      content.feed,
      content.source ?? '',
      content.destination ?? '',
      content.job,
      feed.id,
      content.state,
      content.at,
      content.until ?? null,
      forgotten,
    );
  }

  #fileNotice({ feed }: Place, { kind, to, at, episodes = [] }: LogNoticeContent): void {
    const file = (episode: string, active: number) =>
      this.#db.run(
        'INSERT OR REPLACE INTO notices (recipient, episode, author, at, active) VALUES (?, ?, ?, ?, ?)',
        to,
        episode,
        feed.id,
        at,
        active,
      );
    if (kind === 'sent') for (const episode of episodes) file(episode, 1);
    else file('', kind === 'claim' ? 1 : 0);
  }

  #fileContact({ feed }: Place, content: ContactContent): void {
    const relation = relationOf(content);
    if (relation === undefined) return;
    this.#db.run(
      'INSERT OR REPLACE INTO contacts (author, contact, following, blocking) VALUES (?, ?, ?, ?)',
      feed.id,
      content.contact,
      relation.following ? 1 : 0,
      relation.blocking ? 1 : 0,
    );
  }

  #fileName({ feed }: Place, { about, name }: AboutContent): void {
    if (name === undefined) return;
    this.#db.run('INSERT OR REPLACE INTO names (author, about, name) VALUES (?, ?, ?)', feed.id, about, name);
  }
}
