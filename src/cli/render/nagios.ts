/** The answer of `check --nagios`: one line and a code, as the Monitoring Plugins' guidelines have them. */
import { escapeText } from '../../assemble/escape-controls.ts';
import type { JobState } from '../../jobs/job-states.ts';
import { type Problem, type Severity, WORST_FIRST } from '../../jobs/problems.ts';
import type { JobStateName } from '../../jobs/state.ts';
import { counted } from './units.ts';

const CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

/** Monitors cut long lines. */
const MAX_SHOWN = 10;
const MAX_UNITS = 120;

const COUNTED: readonly JobStateName[] = ['ok', 'running', 'failed', 'late', 'missing', 'stuck', 'unknown', 'paused'];

/** @param absent jobs that were asked for and are not known */
export function renderNagios(
  jobs: readonly JobState[],
  problems: readonly Problem[],
  absent: readonly string[],
  now: number,
): { text: string; code: number } {
  const isUnknown = absent.length > 0 || jobs.length === 0;
  const found = new Set<Severity>([
    ...problems.map(({ severity }) => severity),
    ...(isUnknown ? ['unknown' as const] : []),
  ]);
  const worst = WORST_FIRST.find((severity) => found.has(severity)) ?? 'ok';
  const texts = [
    ...[...problems]
      .sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity))
      .map(({ job, text }) => `${job.job} (${job.machine}) ${text}`),
    ...absent.map((job) => `${job} is not known here`),
  ];
  const summary =
    texts.length > 0
      ? list(texts)
      : jobs.length === 0
        ? 'no jobs are known here'
        : `${counted(jobs.length, 'job')} well`;
  return { text: `SSBLOG ${worst.toUpperCase()} - ${summary} | ${perfdata(jobs, now)}\n`, code: CODES[worst] };
}

/** When it could not be looked at. */
export function renderUnknown(reason: string): string {
  return `SSBLOG UNKNOWN - ${plain(reason)}\n`;
}

function list(texts: readonly string[]): string {
  const more = texts.length > MAX_SHOWN ? [`${texts.length - MAX_SHOWN} more`] : [];
  return [...texts.slice(0, MAX_SHOWN).map(plain), ...more].join('; ');
}

/** What comes after a bar would be taken for numbers. */
function plain(text: string): string {
  const line = escapeText(text).replaceAll('|', '/');
  return line.length > MAX_UNITS ? `${line.slice(0, MAX_UNITS)}…` : line;
}

/** How many jobs are in each state; of one job alone, how long it took and how old its last good run is. */
function perfdata(jobs: readonly JobState[], now: number): string {
  const counts = COUNTED.map((state) => `${state}=${jobs.filter((job) => job.state === state).length};;;0`);
  const [job] = jobs;
  if (job === undefined || jobs.length > 1) return counts.join(' ');
  const age = job.lastOk === null ? [] : [`age=${seconds(now - job.lastOk + job.clockOffsetMs)}s;;;0`];
  const duration = job.durationMs === null ? [] : [`duration=${seconds(job.durationMs)}s;;;0`];
  return [...counts, ...duration, ...age].join(' ');
}

function seconds(ms: number): number {
  return Math.max(Math.round(ms / 1000), 0);
}
