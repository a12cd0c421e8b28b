/**
 * When a job is due. A schedule is what its run records say: `every` so often, or by a cron expression in a time zone.
 * Pure: the clock is a parameter, and times are milliseconds since the epoch by the clock of the job's machine.
 */
import { Cron } from 'croner';
import { parseDuration } from '../config/duration.ts';
import type { ScheduleText } from '../store/store.ts';

export interface Schedule {
  /** The first time after `started` (and not while that run was under way) at which it has to run again. */
  next(run: { readonly started: number; readonly ended: number }): Due | undefined;
}

export interface Due {
  readonly due: number;
  /** From here on it is missing. */
  readonly deadline: number;
  /** From `due` until it is due once more. */
  readonly periodMs: number;
}

const MINUTE_MS = 60_000;

/** Without a grace of its own a job may be late by this part of its period … */
const GRACE_SHARE = 0.1;
/** … but by so much at least, and at most. */
const MIN_GRACE_MS = 5 * MINUTE_MS;
const MAX_GRACE_MS = 24 * 60 * MINUTE_MS;

/** A hundred years: what is longer is no schedule, and sums with it are no times. */
const MAX_DURATION_MS = 36_525 * 24 * 60 * MINUTE_MS;

/** A run that began this little before its time was meant for it: clocks are set back. */
const EARLY_MS = 30_000;

/** Without a zone an expression is meant in this one, so that all machines say the same. */
const DEFAULT_ZONE = 'UTC';

/** Compiling an expression takes longer than asking it; other machines can send any number of them. */
const MAX_REMEMBERED = 1000;
const compiled = new Map<string, Cron | undefined>();

/** @returns undefined when there is none, or it cannot be understood */
export function parseSchedule({ every, cron, tz, grace }: ScheduleText): Schedule | undefined {
  const graceMs = durationMs(grace);
  if (cron !== null) {
    const expression = compile(cron, tz ?? DEFAULT_ZONE);
    return expression === undefined ? undefined : cronSchedule(expression, graceMs);
  }
  const periodMs = durationMs(every);
  return periodMs === undefined || periodMs === 0 ? undefined : everySchedule(periodMs, graceMs);
}

/** @returns why `cron` in the zone `tz` is no schedule; undefined when it is one */
export function cronProblem(cron: string, tz: string): string | undefined {
  const expression = readCron(cron, tz);
  return typeof expression === 'string' ? expression : undefined;
}

/** How late a job may be that was given no grace. */
export function defaultGrace(periodMs: number): number {
  return Math.min(Math.max(periodMs * GRACE_SHARE, MIN_GRACE_MS), MAX_GRACE_MS);
}

function durationMs(text: string | null): number | undefined {
  const ms = text === null ? undefined : parseDuration(text);
  return ms !== undefined && ms <= MAX_DURATION_MS ? ms : undefined;
}

function everySchedule(periodMs: number, graceMs: number | undefined): Schedule {
  return {
    next({ started, ended }) {
      const due = Math.max(started + periodMs, ended);
      return { due, deadline: due + (graceMs ?? defaultGrace(periodMs)), periodMs };
    },
  };
}

function cronSchedule(cron: Cron, graceMs: number | undefined): Schedule {
  return {
    next({ started, ended }) {
      const due = nextTime(cron, Math.max(started + EARLY_MS, ended));
      if (due === undefined) return undefined;
      const periodMs = (nextTime(cron, due) ?? due) - due;
      return { due, deadline: due + (graceMs ?? defaultGrace(periodMs)), periodMs };
    },
  };
}

function nextTime(cron: Cron, after: number): number | undefined {
  return cron.nextRun(new Date(after))?.getTime();
}

function compile(cron: string, tz: string): Cron | undefined {
  const key = `${tz} ${cron}`;
  if (compiled.has(key)) return compiled.get(key);
  if (compiled.size >= MAX_REMEMBERED) compiled.clear();
  const read = readCron(cron, tz);
  const expression = typeof read === 'string' ? undefined : read;
  compiled.set(key, expression);
  return expression;
}

/**
 * As Debian's cron has it: a job at a fixed time that clocks skip in spring runs when they have been changed, one
 * whose time comes twice in autumn runs the first time.
 * @returns why it is none, as a text
 */
function readCron(cron: string, tz: string): Cron | string {
  try {
    const expression = new Cron(cron, { timezone: tz, mode: '5-part', fixedTimeRule: 'no-wildcard' });
    return expression.nextRun(new Date(0)) === null ? 'it never comes' : expression;
  } catch (error) {
    return isZone(tz) ? (error as Error).message.replace(/^CronPattern: /, '') : `"${tz}" is no time zone`;
  }
}

function isZone(tz: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: tz });
    return true;
  } catch {
    return false; // a RangeError says just that
  }
}
