/** What a job's state is, from its runs, its schedule and what is known of its machine. Pure: the clock is a parameter. */
import type { RunRecord } from '../store/store.ts';
import type { Due, Schedule } from './schedule.ts';

export type JobStateName = 'running' | 'ok' | 'failed' | 'late' | 'missing' | 'stuck' | 'unknown' | 'paused';

/** How a run ended; `running` when it did not, as far as is known. */
export type RunResult = 'ok' | 'failed' | 'running';

export interface JobHistory {
  /** The latest runs, the one that started last first; times are by the machine's own clock. At least one. */
  readonly runs: readonly RunRecord[];
  readonly schedule: Schedule | undefined;
}

/** Times are by the clock of the machine that asks: milliseconds since the epoch. */
export interface JobFacts {
  /** How far the machine's clock is ahead. */
  readonly clockOffsetMs: number;
  /** When the machine was last known to be alive; undefined when that is not known. */
  readonly heardAt: number | undefined;
  readonly isPaused: boolean;
  /** Since when it is active again after a pause: it is due from then on. */
  readonly activeSince: number | undefined;
}

export interface Verdict {
  readonly state: JobStateName;
  /** When it has to run next, or had to; null when it has no schedule. By the clock of the machine that asks. */
  readonly nextDue: number | null;
  /** From when on it is missing. */
  readonly deadline: number | null;
  /** From when on its latest run is stuck; null when that has ended. */
  readonly stuckFrom: number | null;
  /** The median of its good runs; null when there is none. */
  readonly usualMs: number | null;
}

const HOUR_MS = 3_600_000;

/** A run is stuck when it takes longer than this many times the usual, and than the usual and an hour. */
const STUCK_FACTOR = 3;
const STUCK_MARGIN_MS = HOUR_MS;
/** The same where nothing is known of its duration nor of a schedule. */
const STUCK_DEFAULT_MS = 24 * HOUR_MS;

/** @param now by the clock of the machine that asks: milliseconds since the epoch */
export function stateOf(history: JobHistory, facts: JobFacts, now: number): Verdict {
  const usualMs = usualDuration(history.runs);
  const next = nextDue(history, facts, now);
  const stuckFrom = stuckTime(history, facts, { next, usualMs });
  const state = facts.isPaused ? 'paused' : activeState(history, facts, { now, next, stuckFrom });
  return { state, nextDue: next?.due ?? null, deadline: next?.deadline ?? null, stuckFrom, usualMs };
}

export function resultOf({ state, exit, ok, signal, reason }: RunRecord): RunResult {
  if (state === 'start') return 'running';
  return (ok || (exit ?? 0) === 0) && signal === null && reason === null ? 'ok' : 'failed';
}

/** @returns undefined when the run has not ended, or its times are not in order */
export function durationOf({ started, ended, state }: RunRecord): number | undefined {
  return state === 'end' && ended !== null && ended >= started ? ended - started : undefined;
}

function activeState(
  { runs }: JobHistory,
  { clockOffsetMs, heardAt }: JobFacts,
  { now, next, stuckFrom }: { now: number; next: Due | undefined; stuckFrom: number | null },
): JobStateName {
  const [last] = runs;
  if (last === undefined) return 'unknown';
  const wasHeardSince = (time: number) => heardAt !== undefined && heardAt >= time;
  const result = resultOf(last);
  if (stuckFrom !== null) {
    if (now < stuckFrom) return 'running';
    return wasHeardSince(stuckFrom) ? 'stuck' : 'unknown';
  }
  // Its clock was wrong: from such a time nothing can be counted.
  if (next !== undefined && last.started - clockOffsetMs > now) return result === 'failed' ? 'failed' : 'unknown';
  const isOverdue = next !== undefined && now >= next.deadline;
  if (isOverdue && wasHeardSince(next.due)) return 'missing';
  // What is known to be wrong stays wrong, whether the machine is away or not.
  if (result === 'failed') return 'failed';
  if (isOverdue) return 'unknown';
  return next !== undefined && now >= next.due ? 'late' : 'ok';
}

function stuckTime(
  { runs: [last] }: JobHistory,
  { clockOffsetMs }: JobFacts,
  { next, usualMs }: { next: Due | undefined; usualMs: number | null },
): number | null {
  if (last === undefined || resultOf(last) !== 'running') return null;
  return last.started - clockOffsetMs + patience(usualMs, next);
}

function patience(usualMs: number | null, next: Due | undefined): number {
  if (usualMs !== null) return Math.max(STUCK_FACTOR * usualMs, usualMs + STUCK_MARGIN_MS);
  return next === undefined ? STUCK_DEFAULT_MS : Math.max(next.periodMs, STUCK_MARGIN_MS);
}

/** By the clock of the machine that asks. */
function nextDue({ runs, schedule }: JobHistory, facts: JobFacts, now: number): Due | undefined {
  const [last] = runs;
  if (last === undefined || schedule === undefined) return undefined;
  const { clockOffsetMs, activeSince = 0 } = facts;
  const started = Math.max(last.started, activeSince + clockOffsetMs);
  // An end in the future was not: nothing is put off by it.
  const ended = (last.ended ?? 0) - clockOffsetMs > now ? 0 : (last.ended ?? 0);
  const next = schedule.next({ started, ended });
  return next && { ...next, due: next.due - clockOffsetMs, deadline: next.deadline - clockOffsetMs };
}

function usualDuration(runs: readonly RunRecord[]): number | null {
  const durations = runs
    .filter((run) => resultOf(run) === 'ok')
    .map(durationOf)
    .filter((ms) => ms !== undefined)
    .sort((a, b) => a - b);
  return durations[Math.floor(durations.length / 2)] ?? null;
}
