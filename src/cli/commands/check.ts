/** `check`: whether all jobs are well, for monitors and shell prompts. */
import type { Command } from 'commander';
import { parseDuration } from '../../config/duration.ts';
import { SsblogError } from '../../errors.ts';
import type { JobState } from '../../jobs/job-states.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { addJobOptions, type JobOptions } from '../job-options.ts';

interface CheckOptions extends JobOptions {
  readonly job?: string[];
  readonly maxAge?: string;
  readonly allowUnknown?: boolean;
  readonly allowLate?: boolean;
  readonly lines?: string;
  readonly nagios?: boolean;
}

const EXIT_WRONG = 1;
/** Nagios' code for "nobody can tell". */
const NAGIOS_UNKNOWN = 3;

const DEFAULT_LINES = 5;

/** Reading the end of a run can take long in a large log, and other machines can let any number of jobs fail. */
const MAX_WITH_OUTPUT = 20;

export function register(program: Command, context: Context): void {
  const command = program
    .command('check')
    .description('say which jobs are wrong, and exit with 1 when there are any')
    .option('-j, --job <job>', 'this job, which has to exist; repeat it for more', collect)
    .option('--max-age <duration>', 'a job is also wrong when its last good run began longer ago (26h, 8d)')
    .option('--allow-unknown', 'a job of a machine that is away is not wrong')
    .option('--allow-late', 'a job that is due, and whose grace is not over, is not wrong')
    .option('-n, --lines <count>', `the last so many lines of what went wrong (default: ${DEFAULT_LINES})`)
    .option('--nagios', 'one line, exit code and performance data as Nagios and its like want them')
    .addHelpText(
      'after',
      `
Exit status: 0 when all is well, 1 when a job failed, is late, missing, stuck or unknown, or does not exist;
2 for usage or configuration. With --nagios: 0 ok, 1 warning (late), 2 critical, 3 unknown, failures included.
Nothing is printed when all is well. Paused jobs are well. For the states see: ssblog jobs --help`,
    );
  addJobOptions(command).action((options: CheckOptions, self: Command) => run(invocation(context, self), options));
}

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

async function run(call: Invocation, options: CheckOptions): Promise<void> {
  if (!options.nagios) {
    await check(call, options);
    return;
  }
  try {
    await check(call, options);
  } catch (error) {
    // A monitor takes 1 and 2 for answers: what could not be looked at is not known.
    if (!(error instanceof SsblogError)) call.context.stderr.write(`${(error as Error).stack}\n`);
    const { renderUnknown } = await import('../render/nagios.ts');
    call.context.stdout.write(renderUnknown((error as Error).message));
    call.context.setExitCode(NAGIOS_UNKNOWN);
  }
}

async function check(call: Invocation, options: CheckOptions): Promise<void> {
  const maxAgeMs = options.maxAge === undefined ? undefined : parseAge(options.maxAge);
  const limit = options.lines === undefined ? DEFAULT_LINES : parseCount(options.lines);
  const access = await loadMachine(call);
  const [{ openReader }, { jobReader }, { findProblems }, { lastOutput }, { renderNagios }, { renderProblems }] =
    await Promise.all([
      import('../reader.ts'),
      import('../job-reader.ts'),
      import('../../jobs/problems.ts'),
      import('../../jobs/last-output.ts'),
      import('../render/nagios.ts'),
      import('../render/problems.ts'),
    ]);
  const store = await openReader(access);
  try {
    const { facts, states } = await jobReader(call, access, store);
    const jobs = states(options);
    const absent = (options.job ?? []).filter((name) => !jobs.some(({ job }) => job === name));
    const { allowUnknown = false, allowLate = false } = options;
    const problems = findProblems(jobs, { maxAgeMs, allowUnknown, allowLate, now: facts.now });
    if (options.nagios) {
      const { text, code } = renderNagios(jobs, problems, absent, facts.now);
      call.context.stdout.write(text);
      call.context.setExitCode(code);
      return;
    }
    const wrong = [];
    let read = 0;
    for (const problem of problems) {
      const isRead = hasOutput(problem.job) && read < MAX_WITH_OUTPUT;
      if (isRead) read += 1;
      wrong.push({ ...problem, output: isRead ? await lastOutput(store, problem.job, limit) : [] });
    }
    if (jobs.length === 0 && absent.length === 0) note(call, 'no jobs are known here');
    if (wrong.length + absent.length > 0) call.context.setExitCode(EXIT_WRONG);
    answer(
      call,
      [
        ...wrong.map(({ job, text, output }) => ({ ...job, problem: text, output })),
        ...absent.map((job) => ({ job, state: 'unknown', problem: 'is not known here', output: [] })),
      ],
      renderProblems(wrong, absent, call.context, call.globals),
    );
  } finally {
    store.close();
  }
}

/** What a job that did not run printed the time before says nothing. */
function hasOutput({ state, result }: JobState): boolean {
  return result === 'failed' || state === 'stuck';
}

function parseAge(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new SsblogError('usage', `--max-age: "${text}" is no duration`, { hint: 'durations: 90m, 26h, 8d, 1h30m' });
}

function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new SsblogError('usage', `-n: "${text}" is not a number of lines`);
}
