/** Which jobs are wrong, for monitors. Pure. */
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import { explainJob } from './explain.ts';
import type { JobState } from './job-states.ts';

/** How bad it is: `unknown` where nobody can tell. */
export type Severity = 'critical' | 'warning' | 'unknown';

/** A job of which nothing is known is worse than one that is late. */
export const WORST_FIRST: readonly Severity[] = ['critical', 'unknown', 'warning'];

export interface Problem {
  readonly job: JobState;
  readonly severity: Severity;
  /** Half a sentence that goes on after the job's name. */
  readonly text: string;
}

export interface ProblemOptions {
  /** A job is wrong when its last good run started longer ago. */
  readonly maxAgeMs?: number | undefined;
  /** A machine that is away is no reason to complain. */
  readonly allowUnknown: boolean;
  /** Neither is a job whose grace is not over. */
  readonly allowLate: boolean;
  readonly now: number;
}

/** In the order of the jobs. A paused job is never wrong. */
export function findProblems(jobs: readonly JobState[], options: ProblemOptions): Problem[] {
  return jobs.flatMap((job) => {
    const found = [stateProblem(job, options), ageProblem(job, options), scheduleProblem(job, options)];
    const problems = found.filter((problem) => problem !== undefined);
    const severity = WORST_FIRST.find((candidate) => problems.some((problem) => problem.severity === candidate));
    return severity === undefined ? [] : [{ job, severity, text: problems.map(({ text }) => text).join('; ') }];
  });
}

type Found = Omit<Problem, 'job'> | undefined;

function stateProblem(job: JobState, options: ProblemOptions): Found {
  const severity = severityOf(job, options);
  return severity && { severity, text: explainJob(job, options.now) };
}

function severityOf({ state }: JobState, { allowUnknown, allowLate }: ProblemOptions): Severity | undefined {
  if (state === 'failed' || state === 'missing' || state === 'stuck') return 'critical';
  if (state === 'late') return allowLate ? undefined : 'warning';
  return state === 'unknown' && !allowUnknown ? 'unknown' : undefined;
}

function ageProblem({ state, lastOk, clockOffsetMs }: JobState, { maxAgeMs, now }: ProblemOptions): Found {
  if (maxAgeMs === undefined || state === 'paused') return undefined;
  if (lastOk === null) return { severity: 'critical', text: 'has had no good run' };
  const ageMs = now - (lastOk - clockOffsetMs);
  if (ageMs <= maxAgeMs) return undefined;
  return { severity: 'critical', text: `its last good run began ${formatDistanceStrict(0, ageMs)} ago` };
}

/** Whoever gave it a schedule counts on hearing when it does not run. */
function scheduleProblem({ state, every, cron, nextDue }: JobState, { allowUnknown }: ProblemOptions): Found {
  const text = cron ?? every;
  if (text === null || nextDue !== null || state === 'paused' || allowUnknown) return undefined;
  return { severity: 'unknown', text: `its schedule "${text}" cannot be read here` };
}
