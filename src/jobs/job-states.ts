/** The state of every job that the store knows of. */
import type { JobFilter, RunRecord, ScheduleText, Store, StoredJob } from '../store/store.ts';
import { type FactsOptions, type MachineFacts, machineFacts } from './machine-facts.ts';
import { parseSchedule } from './schedule.ts';
import { durationOf, type JobStateName, type RunResult, resultOf, stateOf } from './state.ts';
import { type Wishes, weighWishes } from './wishes.ts';

interface RecentRun {
  readonly run: string;
  readonly started: number;
  readonly result: RunResult;
  readonly durationMs: number | null;
}

/**
 * A job and how it is. Times of runs are as its machine recorded them; `nextDue`, `deadline`, `stuckFrom`, `heardAt` and those of
 * the pause are by this machine's clock. All are milliseconds since the epoch.
 */
export interface JobState extends ScheduleText {
  /** The machine whose job it is: its feed's id, and its name, or the id again when that is not known. */
  readonly feed: string;
  readonly machine: string;
  readonly source: string | null;
  readonly destination: string | null;
  readonly job: string;
  readonly state: JobStateName;

  /** Of the latest run. */
  readonly run: string;
  readonly started: number;
  readonly ended: number | null;
  readonly exit: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly result: RunResult;
  readonly durationMs: number | null;
  readonly lines: number | null;
  readonly levels: RunRecord['levels'];

  /** Median duration of the recent good runs. */
  readonly usualMs: number | null;
  /** When the latest good run started. */
  readonly lastOk: number | null;
  readonly nextDue: number | null;
  /** When its grace is over. */
  readonly deadline: number | null;
  /** From when on its latest run is stuck; null when that has ended. */
  readonly stuckFrom: number | null;
  /** When its machine was last known to be alive. */
  readonly heardAt: number | null;
  readonly clockOffsetMs: number;
  /** Who paused it: feed and name. */
  readonly pausedBy: {
    readonly feed: string;
    readonly machine: string;
    readonly at: number;
    readonly until: number | null;
  } | null;
  /** The latest runs, the latest one last. */
  readonly recent: readonly RecentRun[];
}

export interface JobStatesOptions extends FactsOptions {
  readonly filter?: JobFilter | undefined;
  /** Only jobs of these machines, by feed id. */
  readonly feeds?: readonly string[] | undefined;
  /** Told of a machine that has more jobs than are looked at, and how many of them are left out. */
  readonly onLeftOut?: (feed: string, jobs: number) => void;
}

/** A machine can invent any number of jobs, each of which takes time: those that ran last are looked at. */
const MAX_JOBS_PER_MACHINE = 500;

/** Of each job so many of its latest runs say what is usual. */
const RECENT_RUNS = 20;

/** Clocks that the network sets differ by less: what is dated later is in the future. */
const FUTURE_TOLERANCE_MS = 60_000;

/** By machine and job, in the order of their names. */
export function jobStates(store: Store, options: JobStatesOptions): JobState[] {
  const { now, filter = {}, feeds, onLeftOut } = options;
  const facts = machineFacts(store, options);
  const states: JobState[] = [];
  for (const feed of feeds ?? store.clock().keys()) {
    const until = endOfPresent(facts, feed, now);
    const { jobs, count } = store.jobs(feed, { filter, until, limit: MAX_JOBS_PER_MACHINE });
    if (count > jobs.length) onLeftOut?.(feed, count - jobs.length);
    for (const job of jobs) {
      const state = jobState(store, job, { facts, now, until });
      if (state !== undefined) states.push(state);
    }
  }
  return states.sort((a, b) => compare(sortKey(a), sortKey(b)));
}

/** Which job is meant. */
export type JobKey = Pick<JobState, 'feed' | 'source' | 'destination' | 'job'>;

/** A job's runs, the one that started last first; those that were forgotten are left out. */
export function jobHistory(store: Store, key: JobKey, options: FactsOptions, limit: number): RunRecord[] {
  const facts = machineFacts(store, options);
  const filter = { source: [key.source ?? ''], destination: [key.destination ?? ''], job: [key.job] };
  const until = Number.MAX_SAFE_INTEGER;
  const [job] = store.jobs(key.feed, { filter, until, limit: 1 }).jobs;
  if (job === undefined) return [];
  const { forgotten = 0 } = wishesFor(store, key, facts, options.now);
  return store.jobRuns(job.id, { since: forgotten === 0 ? 0 : forgotten + facts.clockOffset(key.feed), until }, limit);
}

/** A time for a wish by which it is the latest one: by now, and after all that count. */
export function wishTime(store: Store, key: JobKey, options: FactsOptions): number {
  return Math.max(options.now, wishesFor(store, key, machineFacts(store, options), options.now).latest + 1);
}

/** What is wanted of a job, and when its forgotten runs end. */
function wishesFor(store: Store, key: JobKey, facts: MachineFacts, now: number): Wishes {
  const { feed, source, destination, job } = key;
  const all = store.jobWishes({ feed, source: source ?? undefined, destination: destination ?? undefined, job });
  const mayWish = (author: string) => author === feed || facts.trusted.has(author);
  return weighWishes(all, { mayWish, clockOffset: facts.clockOffset }, now);
}

/** The latest time of runs that are not dated in the future, by the machine's own clock. */
function endOfPresent(facts: MachineFacts, feed: string, now: number): number {
  return now + facts.clockOffset(feed) + FUTURE_TOLERANCE_MS;
}

/** @returns undefined when the job was forgotten */
function jobState(
  store: Store,
  job: StoredJob,
  { facts, now, until }: { facts: MachineFacts; now: number; until: number },
): JobState | undefined {
  const key = { feed: job.feed, source: job.source ?? null, destination: job.destination ?? null, job: job.job };
  const wishes = wishesFor(store, key, facts, now);
  const clockOffsetMs = facts.clockOffset(job.feed);
  const since = wishes.forgotten === undefined ? 0 : wishes.forgotten + clockOffsetMs;
  const present = store.jobRuns(job.id, { since, until }, RECENT_RUNS);
  // What is dated in the future must not hide what is not; where there is nothing else, it is better than nothing.
  const runs =
    present.length > 0 ? present : store.jobRuns(job.id, { since, until: Number.MAX_SAFE_INTEGER }, RECENT_RUNS);
  const [last] = runs;
  if (last === undefined) return undefined;
  const span = { since, until: Math.max(until, last.started) };
  const schedule = store.jobSchedule(job.id, span);
  const heardAt = facts.heardAt(job.feed);
  const verdict = stateOf(
    { runs, schedule: schedule && parseSchedule(schedule) },
    { clockOffsetMs, heardAt, isPaused: wishes.pause !== undefined, activeSince: wishes.activeSince },
    now,
  );
  const nameOf = (feed: string) => facts.names.get(feed) ?? feed;
  return {
    ...key,
    machine: nameOf(job.feed),
    ...verdict,
    ...lastRun(last),
    every: schedule?.every ?? null,
    cron: schedule?.cron ?? null,
    tz: schedule?.tz ?? null,
    grace: schedule?.grace ?? null,
    lastOk: store.lastGoodRun(job.id, span) ?? null,
    heardAt: heardAt ?? null,
    clockOffsetMs,
    pausedBy: wishes.pause
      ? { feed: wishes.pause.by, machine: nameOf(wishes.pause.by), at: wishes.pause.at, until: wishes.pause.until }
      : null,
    recent: runs.map(recentRun).reverse(),
  };
}

function lastRun(run: RunRecord) {
  const { ended, exit, signal, reason, lines, levels } = run;
  return { ...recentRun(run), ended, exit, signal, reason, lines, levels };
}

function recentRun(run: RunRecord): RecentRun {
  return { run: run.run, started: run.started, result: resultOf(run), durationMs: durationOf(run) ?? null };
}

function sortKey({ machine, feed, job, source, destination }: JobState): string {
  return JSON.stringify([machine, job, source, destination, feed]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
