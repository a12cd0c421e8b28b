/** A job's state in words: for people on terminals, in mails, in notifications. */
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import type { JobState } from './job-states.ts';

/**
 * Half a sentence that goes on after the job's name. Names in it may hold control characters of other machines'.
 * @param now milliseconds since the epoch
 */
export function explainJob(job: JobState, now: number): string {
  switch (job.state) {
    case 'running':
      return `has been running for ${duration(now - startedHere(job))}`;
    case 'ok':
      return `ended well${job.exit ? ` with exit code ${job.exit},` : ''} ${ago(endedHere(job), now)}`;
    case 'failed':
      return `${failureOf(job)}, ${ago(endedHere(job), now)}`;
    case 'late':
      return `is late: it was due ${ago(job.nextDue, now)}, and its grace ends ${ago(job.deadline, now)}`;
    case 'missing':
      return `did not run: it was due ${ago(job.nextDue, now)}; its last run began ${ago(startedHere(job), now)}`;
    case 'stuck':
      return `is stuck: it began ${ago(startedHere(job), now)} and has not ended${usually(job)}`;
    case 'unknown':
      return `may have run or not: ${unheardOf(job, now)}`;
    case 'paused':
      return `is paused by ${job.pausedBy?.machine}, ${pauseEnd(job, now)}`;
  }
}

/** How a run that failed did so: `failed with exit code 3`. */
export function failureOf({ exit, signal, reason }: Pick<JobState, 'exit' | 'signal' | 'reason'>): string {
  const because = reason === null ? '' : ` (${reason})`;
  if (signal !== null) return `was ended by ${signal}${because}`;
  return exit === null ? `failed${because}` : `failed with exit code ${exit}${because}`;
}

function unheardOf({ machine, heardAt, nextDue, result }: JobState, now: number): string {
  const last = heardAt === null ? 'has not been heard of' : `was last heard of ${ago(heardAt, now)}`;
  if (result === 'running') return `${machine} ${last}, while it was running`;
  return nextDue === null || nextDue > now
    ? `the clock of ${machine} was wrong when it last ran`
    : `${machine} ${last}, and it was due ${ago(nextDue, now)}`;
}

function pauseEnd({ pausedBy }: JobState, now: number): string {
  const until = pausedBy?.until ?? null;
  return until === null ? `since ${ago(pausedBy?.at ?? null, now)}` : `for another ${duration(until - now)}`;
}

function usually({ usualMs }: JobState): string {
  return usualMs === null ? '' : `; usually it takes ${duration(usualMs)}`;
}

/** By this machine's clock. */
function startedHere({ started, clockOffsetMs }: JobState): number {
  return started - clockOffsetMs;
}

function endedHere({ ended, started, clockOffsetMs }: JobState): number {
  return (ended ?? started) - clockOffsetMs;
}

function duration(ms: number): string {
  return formatDistanceStrict(0, Math.max(ms, 0));
}

/** `3 hours ago`, or of a time to come `in 3 hours` */
function ago(at: number | null, now: number): string {
  return at === null ? 'at an unknown time' : formatDistanceStrict(at, now, { addSuffix: true });
}
