/** `jobs`: how every job is; `jobs JOB`: one job's runs; and what is wanted of a job: pause, resume, forget. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { JobState } from '../../jobs/job-states.ts';
import type { RunRecord } from '../../store/store.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { addJobOptions, type JobOptions } from '../job-options.ts';

interface JobsOptions extends JobOptions {
  readonly job?: string;
  readonly lines?: string;
}

const DEFAULT_RUNS = 20;

export function register(program: Command, context: Context): void {
  const jobs = program
    .command('jobs')
    .description('show how every job is, or the runs of one')
    .argument('[job]', 'show the runs of this job')
    .option('-j, --job <job>', 'the same, for a job that is named as a verb of jobs: pause, resume, forget, help')
    .option('-n, --lines <count>', `with a job: its last so many runs (default: ${DEFAULT_RUNS})`)
    .allowExcessArguments()
    .addHelpText('after', STATES_HELP);
  addJobOptions(jobs).action((_job: string | undefined, options: JobsOptions, self: Command) =>
    run(invocation(context, self), jobName(self.args, options), options),
  );
  for (const change of CHANGES) {
    const command = jobs.command(change.verb).description(change.description).argument('<job>', 'its name');
    if (change.verb === 'pause') command.option('--until <time>', '2026-12-24, "2026-12-24 06:00", 3d (from now)');
    command.action((job: string, options: { until?: string }, self: Command) =>
      // The flags that say which job is meant are those of `jobs`.
      publishChange(invocation(context, self.parent ?? self), change, job, { ...self.parent?.opts(), ...options }),
    );
  }
}

const STATES_HELP = `
States: running; ok; failed; late (due, and its grace is not over); missing (its grace is over); stuck (began and
does not end, three times its usual duration and an hour later, and its machine was heard of since); unknown (as
missing or stuck, but its machine has not been heard of since before it was due); paused.
A job's schedule is that of its latest run that brought one. It ends with: ssblog jobs forget JOB`;

interface Change {
  readonly verb: 'pause' | 'resume' | 'forget';
  readonly state: 'paused' | 'active' | 'forgotten';
  readonly description: string;
}

const CHANGES: readonly Change[] = [
  { verb: 'pause', state: 'paused', description: 'no alarms of a job until it is resumed, or until a time' },
  { verb: 'resume', state: 'active', description: 'end the pause of a job: it is due from now on' },
  { verb: 'forget', state: 'forgotten', description: 'hide a job and its schedule until it runs again' },
];

function jobName([argument, ...more]: readonly string[], { job }: JobsOptions): string | undefined {
  // Most likely the first was to be a verb.
  if (more.length > 0)
    throw new SsblogError('usage', `jobs: too many arguments: ${more.join(' ')}`, {
      hint: 'ssblog jobs JOB; ssblog jobs pause, resume or forget JOB',
    });
  if (argument === undefined || job === undefined || argument === job) return argument ?? job;
  throw new SsblogError('usage', `it is either "${argument}" or "${job}"`, { hint: 'ssblog jobs --job JOB' });
}

async function run(call: Invocation, name: string | undefined, { job: _job, ...options }: JobsOptions): Promise<void> {
  const limit = options.lines === undefined ? DEFAULT_RUNS : parseRuns(options.lines, name);
  const access = await loadMachine(call);
  const [{ openReader }, { jobReader, onlyJob }, { jobHistory }, { resultOf }, render] = await Promise.all([
    import('../reader.ts'),
    import('../job-reader.ts'),
    import('../../jobs/job-states.ts'),
    import('../../jobs/state.ts'),
    import('../render/jobs.ts'),
  ]);
  const store = await openReader(access);
  try {
    const { facts, states } = await jobReader(call, access, store);
    const chalk = render.chalkFor(call.context, call.globals);
    if (name === undefined) {
      const jobs = states(options);
      if (jobs.length === 0) note(call, 'no jobs are known here: ssblog pipe --job NAME makes one');
      answer(call, jobs, jobs.length === 0 ? '' : render.renderJobs(jobs, chalk, facts.now));
      return;
    }
    const job = onlyJob(states({ ...options, job: [name] }), name);
    const runs = jobHistory(store, job, facts, limit);
    answer(
      call,
      { ...job, runs: runs.map((run) => ({ ...withoutLabels(run), result: resultOf(run) })) },
      render.renderJob(job, runs, chalk, facts.now),
    );
  } finally {
    store.close();
  }
}

/** The labels are the job's. */
function withoutLabels({ feed: _feed, source: _source, destination: _destination, job: _job, ...run }: RunRecord) {
  return run;
}

function parseRuns(text: string, name: string | undefined): number {
  if (name === undefined) throw new SsblogError('usage', '-n needs a job', { hint: 'ssblog jobs JOB -n 50' });
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new SsblogError('usage', `-n: "${text}" is not a number of runs`);
}

async function publishChange(
  call: Invocation,
  { verb, state }: Change,
  name: string,
  options: JobOptions & { readonly until?: string },
): Promise<void> {
  const access = await loadMachine(call);
  const [{ openReader }, { jobReader, onlyJob }, { wishTime }, { parseFutureTime }, { openControl }] =
    await Promise.all([
      import('../reader.ts'),
      import('../job-reader.ts'),
      import('../../jobs/job-states.ts'),
      import('../time.ts'),
      import('../../peer/open-control.ts'),
    ]);
  const until = options.until === undefined ? undefined : parseFutureTime('--until', options.until, call.context.now());
  const { job, at } = await findJob();
  const { feed, source, destination } = job;
  const result = { feed, source, destination, job: job.job, state, at, until: until ?? null };
  if (verb === 'resume' && job.state !== 'paused') {
    note(call, `${name} is not paused`);
    answer(call, result, '');
    return;
  }
  const control = await openControl(access);
  try {
    await control.write([
      {
        type: 'log-job',
        feed,
        ...(source !== null && { source }),
        ...(destination !== null && { destination }),
        job: job.job,
        state,
        ...(until !== undefined && { until }),
        at,
      },
    ]);
  } finally {
    await control.close();
  }
  answer(call, result, `${state === 'active' ? 'active again' : state}: ${name}\n`);

  /** The store is closed before the peer is opened, which may be in this process. */
  async function findJob(): Promise<{ job: JobState; at: number }> {
    const store = await openReader(access);
    try {
      const { facts, states } = await jobReader(call, access, store);
      const found = onlyJob(states({ ...options, job: [name] }), name);
      return { job: found, at: wishTime(store, found, facts) };
    } finally {
      store.close();
    }
  }
}
