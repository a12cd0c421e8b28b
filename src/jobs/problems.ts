/** Which jobs are wrong, for monitors. Pure. */
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import { explainJob } from './explain.ts';
import type { JobState } from './job-states.ts';

/** How bad it is: `unknown` where nobody can tell. */
export type Severity = 'critical' | 'warning' | 'unknown';

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
    const severity = severityOf(job, options);
    const tooOld = ageProblem(job, options);
    if (severity === undefined && tooOld === undefined) return [];
    const texts = [...(severity === undefined ? [] : [explainJob(job, options.now)]), ...(tooOld ? [tooOld] : [])];
    return [{ job, severity: tooOld === undefined ? (severity ?? 'critical') : 'critical', text: texts.join('; ') }];
  });
}

function severityOf({ state }: JobState, { allowUnknown, allowLate }: ProblemOptions): Severity | undefined {
  if (state === 'failed' || state === 'missing' || state === 'stuck') return 'critical';
  if (state === 'late') return allowLate ? undefined : 'warning';
  return state === 'unknown' && !allowUnknown ? 'unknown' : undefined;
}

function ageProblem({ state, lastOk, clockOffsetMs }: JobState, { maxAgeMs, now }: ProblemOptions): string | undefined {
  if (maxAgeMs === undefined || state === 'paused') return undefined;
  if (lastOk === null) return 'has had no good run';
  const ageMs = now - (lastOk - clockOffsetMs);
  return ageMs <= maxAgeMs ? undefined : `its last good run began ${formatDistanceStrict(0, ageMs)} ago`;
}
