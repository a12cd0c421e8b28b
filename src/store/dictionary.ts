/**
 * Feeds, combinations of labels, and runs as small numbers, each with its running totals. Kept in memory between
 * transactions and written at their end; one writer at a time has them.
 */
import type { Coverage, Range } from './coverage.ts';
import { NOTHING } from './coverage.ts';
import type { Database } from './database.ts';
import { NONE_OPEN, type OpenStreams } from './line-state.ts';

export interface FeedState {
  readonly id: number;
  readonly feed: string;
  sequence: number;
  lines: number;
  lastAt: number | null;
  unreadable: number;
}

export interface RunState {
  readonly id: number;
  coverage: Coverage;
  open: OpenStreams;
  /** The labels of its last message. */
  series: number | null;
  first: number | null;
  last: number | null;
}

export interface SeriesLabels {
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly job?: string | undefined;
}

/** Bounds the memory that feeds with ever new labels can take. */
const MAX_REMEMBERED = 10_000;

export class Dictionary {
  readonly #db: Database;
  readonly #feeds = new Map<string, FeedState>();
  readonly #series = new Map<string, number>();
  readonly #runs = new Map<string, RunState>();
  readonly #changedFeeds = new Set<FeedState>();
  readonly #changedRuns = new Set<RunState>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Must be called when what is in memory may not be what is in the tables. */
  reset(): void {
    this.#feeds.clear();
    this.#series.clear();
    this.#runs.clear();
    this.#changedFeeds.clear();
    this.#changedRuns.clear();
  }

  /** The feed's state, to be changed in place. */
  feed(feed: string): FeedState {
    const state = this.#feeds.get(feed) ?? remember(this.#feeds, feed, this.#readFeed(feed) ?? this.#addFeed(feed));
    this.#changedFeeds.add(state);
    return state;
  }

  #readFeed(feed: string): FeedState | undefined {
    const row = this.#db.get('SELECT id, sequence, lines, last_at, unreadable FROM feeds WHERE feed = ?', feed);
    if (row === undefined) return undefined;
    const [id, sequence, lines, lastAt, unreadable] = row as [number, number, number, number | null, number];
    return { id, feed, sequence, lines, lastAt, unreadable };
  }

  #addFeed(feed: string): FeedState {
    const { rowId } = this.#db.run('INSERT INTO feeds (feed, sequence, lines, unreadable) VALUES (?, 0, 0, 0)', feed);
    return { id: rowId, feed, sequence: 0, lines: 0, lastAt: null, unreadable: 0 };
  }

  series(feed: FeedState, { source = '', destination = '', job = '' }: SeriesLabels): number {
    const key = JSON.stringify([feed.id, source, destination, job]);
    return this.#series.get(key) ?? remember(this.#series, key, this.#seriesId(feed.id, source, destination, job));
  }

  #seriesId(feed: number, source: string, destination: string, job: string): number {
    const labels = [feed, source, destination, job];
    const row = this.#db.get(
      'SELECT id FROM series WHERE feed = ? AND source = ? AND destination = ? AND job = ?',
      ...labels,
    );
    if (row !== undefined) return Number(row[0]);
    return this.#db.run('INSERT INTO series (feed, source, destination, job) VALUES (?, ?, ?, ?)', ...labels).rowId;
  }

  /** The run's state, to be changed in place. The same text in another feed is another run. */
  run(feed: FeedState, run: string): RunState {
    const key = `${feed.id} ${run}`;
    const state = this.#runs.get(key) ?? remember(this.#runs, key, this.#readRun(feed, run) ?? this.#addRun(feed, run));
    this.#changedRuns.add(state);
    return state;
  }

  #readRun(feed: FeedState, run: string): RunState | undefined {
    const row = this.#db.get(
      'SELECT id, progress, gaps, open, series, first, last FROM runs WHERE run = ? AND feed = ?',
      run,
      feed.id,
    );
    if (row === undefined) return undefined;
    const [id, progress, gaps, open, series, first, last] = row as [
      ...coverage: [number, number, string | null],
      ...rest: [number, number | null, number | null, number | null],
    ];
    const coverage = { progress, gaps: gaps === null ? [] : (JSON.parse(gaps) as Range[]) };
    return { id, coverage, open, series, first, last };
  }

  #addRun(feed: FeedState, run: string): RunState {
    const { rowId } = this.#db.run('INSERT INTO runs (run, feed, progress, open) VALUES (?, ?, 0, 0)', run, feed.id);
    return { id: rowId, coverage: NOTHING, open: NONE_OPEN, series: null, first: null, last: null };
  }

  /** Writes what changed. */
  flush(): void {
    for (const { id, sequence, lines, lastAt, unreadable } of this.#changedFeeds)
      this.#db.run(
        'UPDATE feeds SET sequence = ?, lines = ?, last_at = ?, unreadable = ? WHERE id = ?',
        sequence,
        lines,
        lastAt,
        unreadable,
        id,
      );
    for (const { id, coverage, open, series, first, last } of this.#changedRuns)
      this.#db.run(
        'UPDATE runs SET progress = ?, gaps = ?, open = ?, series = ?, first = ?, last = ? WHERE id = ?',
        coverage.progress,
        coverage.gaps.length === 0 ? null : JSON.stringify(coverage.gaps),
        open,
        series,
        first,
        last,
        id,
      );
    this.#changedFeeds.clear();
    this.#changedRuns.clear();
    if (this.#feeds.size + this.#series.size + this.#runs.size > MAX_REMEMBERED) this.reset();
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}
