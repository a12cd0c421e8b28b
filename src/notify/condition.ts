/** What is wrong now, or right again, as a notifier wants to hear of it. Pure. */
import { createHash } from 'node:crypto';
import type { NotifierConfig } from '../config/notifiers.ts';
import type { JobState } from '../jobs/job-states.ts';
import { EPISODE_UNITS } from '../message/limits.ts';

export type EventName = 'failed' | 'missing' | 'stuck' | 'recovered' | 'match' | 'silent' | 'heard';

/** What is told of it; all that is wanted of other machines' texts is cleaned where it is put into words. */
export interface Subject {
  readonly machine: { readonly id: string; readonly name: string };
  readonly job?: string | undefined;
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly run?: string | undefined;
  /** By this machine's clock, as all times here: milliseconds since the epoch. */
  readonly started?: number | undefined;
  readonly ended?: number | undefined;
  readonly exit?: number | undefined;
  readonly signal?: string | undefined;
  readonly reason?: string | undefined;
  /** When it was due. */
  readonly due?: number | undefined;
  /** When the machine was last heard of. */
  readonly heardAt?: number | undefined;
  /** Lines that matched, and how many more did. */
  readonly lines?: readonly string[] | undefined;
  readonly moreLines?: number | undefined;
}

/** Something that is in a bad state, or just not any more. */
export interface Condition {
  /** The thing: it is in one state at a time. */
  readonly key: string;
  /** The state and its reason; the same on every machine that sees it. */
  readonly episode: string;
  readonly event: EventName;
  readonly subject: Subject;
}

/** How the things are: those that are bad, those that are good again, and those of which neither is known. */
export interface Outlook {
  readonly bad: readonly Condition[];
  /** What to tell when they were told to be bad. */
  readonly good: readonly Condition[];
  /** Keys of things that stay as they were: a run is under way, or its machine was not heard of. */
  readonly open: ReadonlySet<string>;
}

export interface MachineState {
  readonly id: string;
  readonly name: string;
  /** Its last message here: the same on machines that have the same messages. */
  readonly sequence: number;
  readonly heardAt: number;
}

const BAD_STATES = ['failed', 'missing', 'stuck'] as const;

/** Ends that say the same on every machine, and fit into a message. */
export function episodeOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, EPISODE_UNITS);
}

export function outlookOf(
  notifier: NotifierConfig,
  { jobs, machines, now }: { jobs: readonly JobState[]; machines: readonly MachineState[]; now: number },
): Outlook {
  const bad: Condition[] = [];
  const good: Condition[] = [];
  const open = new Set<string>();
  const events: readonly string[] = notifier.on ?? [...BAD_STATES, 'recovered'];
  for (const job of jobs) {
    if (!wantsJob(notifier, job)) continue;
    const key = jobKey(job);
    const badState = BAD_STATES.find((state) => state === job.state);
    if (badState !== undefined) {
      // A state of which nothing is to be told must not end one of which something was.
      if (events.includes(badState)) bad.push(jobCondition(key, badState, job));
      else open.add(key);
    } else if (job.state === 'ok' || job.state === 'late') {
      // What is late has ended well the last time.
      good.push(jobCondition(key, 'recovered', job));
    } else if (job.state !== 'paused') open.add(key);
  }
  for (const machine of machines) {
    const { silent } = notifier;
    if (silent === undefined || !isAmong(notifier.machines, machine.name, machine.id)) continue;
    const isSilent = now - machine.heardAt >= silent;
    (isSilent ? bad : good).push({
      key: `machine ${machine.id}`,
      episode: episodeOf(isSilent ? 'silent' : 'heard', machine.id, machine.sequence),
      event: isSilent ? 'silent' : 'heard',
      subject: { machine: { id: machine.id, name: machine.name }, heardAt: machine.heardAt },
    });
  }
  return { bad, good: events.includes('recovered') ? good : [], open };
}

function wantsJob(
  { jobs, machines }: NotifierConfig,
  { job, feed, machine }: { job: string | undefined; feed: string; machine: string },
): boolean {
  return isAmong(jobs, job) && isAmong(machines, machine, feed);
}

function isAmong(wanted: readonly string[] | undefined, ...values: readonly (string | undefined)[]): boolean {
  return wanted === undefined || values.some((value) => value !== undefined && wanted.includes(value));
}

function jobKey({ feed, source, destination, job }: JobState): string {
  return `job ${episodeOf(feed, source ?? '', destination ?? '', job)}`;
}

function jobCondition(key: string, event: 'failed' | 'missing' | 'stuck' | 'recovered', job: JobState): Condition {
  const subject: Subject = {
    machine: { id: job.feed, name: job.machine },
    job: job.job,
    source: job.source ?? undefined,
    destination: job.destination ?? undefined,
    run: job.run,
    started: job.started - job.clockOffsetMs,
    ended: job.ended === null ? undefined : job.ended - job.clockOffsetMs,
    exit: job.exit ?? undefined,
    signal: job.signal ?? undefined,
    reason: job.reason ?? undefined,
    due: job.nextDue ?? undefined,
  };
  // What is missing is the run after this one: its time is not quite the same on machines whose clocks differ.
  return { key, episode: episodeOf(event, job.feed, key, job.run), event, subject };
}
