/** Jobs and their runs, for people. */
import { Chalk, type ChalkInstance } from 'chalk';
import { format } from 'date-fns/format';
import { escapeText } from '../../assemble/escape-controls.ts';
import { explainJob, failureOf } from '../../jobs/explain.ts';
import type { JobState } from '../../jobs/job-states.ts';
import { durationOf, type JobStateName, resultOf } from '../../jobs/state.ts';
import { levelRank, parseLevel } from '../../message/level.ts';
import type { RunRecord } from '../../store/store.ts';
import type { Context, GlobalOptions } from '../context.ts';
import { sparkline } from './sparkline.ts';
import { type Paint, renderTable } from './table.ts';
import { counted, renderAgo, renderShortDuration } from './units.ts';

const STATE = 0;
const RUNS = 10;
const SPARK_RUNS = 12;

/** Without colours unless they are wanted and can be seen. */
export function chalkFor({ stdout, environment }: Context, { color }: GlobalOptions): ChalkInstance {
  return new Chalk({ level: stdout.isTTY === true && color && !environment.NO_COLOR ? 1 : 0 });
}

export function renderJobs(jobs: readonly JobState[], chalk: ChalkInstance, now: number): string {
  const header = ['STATE', 'JOB', 'FROM', 'TO', 'LAST RUN', 'TOOK', 'USUALLY', 'LINES', 'WARNINGS', 'NEXT DUE', 'RUNS'];
  const rows = jobs.map((job) => [
    job.state,
    job.job,
    fromOf(job),
    job.destination ?? '-',
    shortAgo(job.started - job.clockOffsetMs, now),
    durationText(job.durationMs),
    durationText(job.usualMs),
    job.lines === null ? '-' : String(job.lines),
    renderWarnings(job.levels),
    renderDue(job, now),
    renderRecent(job),
  ]);
  const paint: Paint = (cell, row, column) => {
    if (column === STATE) return colourOf(chalk, jobs[row]?.state)(cell);
    return column === RUNS ? cell.replace(/✗/g, chalk.red('✗')) : cell;
  };
  return renderTable(header, rows, paint);
}

export function renderJob(job: JobState, runs: readonly RunRecord[], chalk: ChalkInstance, now: number): string {
  const rows: [string, string][] = [
    ['job', job.job],
    ['from', fromOf(job)],
    ['to', job.destination ?? '-'],
    ['state', `${job.state}: it ${explainJob(job, now)}${renderOpen(job)}`],
    ['schedule', renderSchedule(job)],
    ['next due', job.nextDue === null ? '-' : `${renderTime(job.nextDue)}, ${renderAgo(job.nextDue, now)}`],
    ['machine', `last known to be alive ${renderAgo(job.heardAt, now)}`],
  ];
  const facts = rows.map(([title, value]) => {
    const text = `${title.padEnd(10)} ${escapeText(value)}`;
    return title === 'state' ? colourOf(chalk, job.state)(text) : text;
  });
  const results = runs.map((run, index) => (index === 0 ? lastResult(job, run) : earlierResult(run)));
  const table = renderTable(
    ['STARTED', 'RESULT', 'TOOK', 'LINES', 'WARNINGS', 'RUN'],
    runs.map((run, index) => [
      renderTime(run.started),
      results[index] ?? '',
      durationText(durationOf(run) ?? null),
      run.lines === null ? '-' : String(run.lines),
      renderWarnings(run.levels),
      run.run,
    ]),
    (cell, row, column) => (column === 1 && runs[row] && resultOf(runs[row]) === 'failed' ? chalk.red(cell) : cell),
  );
  return `${facts.join('\n')}\n\n${table}`;
}

function renderRecent(job: JobState): string {
  const open = openRuns(job);
  const runs = sparkline(job.recent.slice(-SPARK_RUNS));
  return open === 0 ? runs : `${runs} ${open} not ended`;
}

function renderOpen(job: JobState): string {
  const open = openRuns(job);
  return open === 0 ? '' : `; ${counted(open, 'earlier run')} ${open === 1 ? 'has' : 'have'} not ended`;
}

/** Of the recent runs before the latest: their machine went down, they were killed, or they still go on. */
function openRuns({ recent }: JobState): number {
  return recent.slice(0, -1).filter(({ result }) => result === 'running').length;
}

function durationText(ms: number | null): string {
  return ms === null ? '-' : renderShortDuration(ms);
}

/** `9h ago`, `in 15h` */
function shortAgo(at: number, now: number): string {
  const ms = coarse(Math.abs(now - at));
  return at > now ? `in ${renderShortDuration(ms)}` : `${renderShortDuration(ms)} ago`;
}

/** Whole days, hours or minutes. */
function coarse(ms: number): number {
  const unit = [86_400_000, 3_600_000, 60_000, 1000].find((candidate) => ms >= candidate) ?? 1000;
  return Math.max(Math.floor(ms / unit), 1) * unit;
}

function lastResult(job: JobState, run: RunRecord): string {
  if (run.run !== job.run || resultOf(run) !== 'running') return earlierResult(run);
  return job.state === 'stuck' ? 'stuck' : 'running';
}

function earlierResult(run: RunRecord): string {
  const result = resultOf(run);
  if (result === 'running') return 'has not ended';
  if (result === 'failed') return failureOf(run);
  if (run.exit === null) return 'ok, exit code not known';
  return run.exit === 0 ? 'ok' : `ok, exit code ${run.exit}`;
}

/** What a job's name alone does not tell apart: `laptop`, or `photos (signed by laptop)`. */
export function fromOf({ source, machine }: JobState): string {
  if (source === null) return machine;
  return source === machine ? source : `${source} (signed by ${machine})`;
}

function renderSchedule({ every, cron, tz, grace }: JobState): string {
  const times = cron !== null ? `${cron} (${tz ?? 'UTC'})` : every !== null ? `every ${every}` : undefined;
  if (times === undefined) return '-';
  return grace === null ? times : `${times}, with ${grace} of grace`;
}

function renderDue({ state, nextDue, pausedBy, every, cron }: JobState, now: number): string {
  if (state === 'paused')
    return pausedBy?.until ? `paused for ${renderShortDuration(coarse(pausedBy.until - now))}` : 'paused';
  // It has a schedule, but none that is understood here.
  if (nextDue === null) return (every ?? cron) === null ? '-' : '?';
  return shortAgo(nextDue, now);
}

/** `2 errors, 3 warnings` */
function renderWarnings(levels: RunRecord['levels']): string {
  let [errors, warnings] = [0, 0];
  for (const [name, count] of Object.entries(levels ?? {})) {
    // Other machines may name levels that are none.
    const level = parseLevel(name);
    if (level === undefined) continue;
    if (levelRank(level) <= levelRank('err')) errors += count;
    else if (level === 'warning') warnings += count;
  }
  const texts = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ];
  return texts.length === 0 ? '-' : texts.join(', ');
}

/** Local time. */
function renderTime(at: number): string {
  return format(at, 'yyyy-MM-dd HH:mm:ss');
}

function colourOf(chalk: ChalkInstance, state: JobStateName | undefined): (text: string) => string {
  switch (state) {
    case 'failed':
    case 'missing':
    case 'stuck':
      return chalk.red;
    case 'late':
    case 'unknown':
      return chalk.yellow;
    case 'ok':
      return chalk.green;
    case 'running':
      return chalk.cyan;
    default:
      return chalk.dim;
  }
}
