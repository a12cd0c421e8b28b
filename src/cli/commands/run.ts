/** `run`: runs a command, ships its output and how it ended, and ends as it did. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { parseDuration } from '../../config/duration.ts';
import { SsblogError } from '../../errors.ts';
import { exitStatus, startCommand } from '../../run/command.ts';
import { Output } from '../../run/output.ts';
import { isFromTerminal } from '../../run/terminal.ts';
import { type Watched, watchCommand } from '../../run/watch.ts';
import { type Context, type Invocation, invocation, note } from '../context.ts';
import { outputTarget } from '../run-output.ts';
import {
  addShipOptions,
  checkDuration,
  readShipOptions,
  type ShipOptions,
  type ShipSettings,
} from '../ship-options.ts';
import { shipOutput, shipSkipped } from '../ship-output.ts';
import { noteSummary } from '../shipment.ts';

interface RunOptions extends ShipOptions {
  readonly quietOk?: boolean;
  readonly timeout?: string;
  readonly lock?: boolean;
  readonly okExits?: string;
}

/** As timeout(1) gives. */
const EXIT_TIMEOUT = 124;
const MAX_EXIT = 255;

export function register(program: Command, context: Context): void {
  addShipOptions(program.command('run').description('run a command, ship its output and how it ended'))
    .argument('<command...>', 'the command and its arguments; flags behind it are its own')
    .option('--quiet-ok', 'print its output only when it fails')
    .option('--timeout <duration>', 'end it after this time (30m, 2h) with SIGTERM, 10 s later with SIGKILL')
    .option('--lock', 'do nothing when a run of the same job is still going on on this machine')
    .option('--ok-exits <codes>', 'exit codes besides 0 of a job that did its work (for borg: 1)')
    .addHelpText(
      'after',
      `
Without --job the job is called as the command's file. The exit status is the command's own: 128 and the number of the
signal that ended it, 127 when it is not found, 126 when it cannot be run, 124 after --timeout. The command runs even
when ssblog itself cannot work; a warning on stderr then says why.

A line of a crontab:
  0 3 * * *  ssblog run --quiet-ok --cron '0 3 * * *' --job home -- restic backup /home`,
    )
    .action((words: string[], options: RunOptions, command: Command) => run(context, command, words, options));
}

async function run(context: Context, command: Command, words: readonly string[], options: RunOptions): Promise<void> {
  const job = options.job ?? jobName(words[0] as string);
  const settings = await readShipOptions({ ...options, job });
  checkDuration('--timeout', options.timeout);
  const okExits = readOkExits(options.okExits);
  const call = anyInvocation(context, command);
  if (options.lock && !(await mayStart(call, settings))) return;

  const started = context.now();
  const child = startCommand(words, { umask: context.umask, ownSession: options.timeout !== undefined });
  const giveBack = context.takeSignals((signal) => {
    // With a session of its own it does not hear the terminal.
    if (child.ownSession || !isFromTerminal(signal)) child.kill(signal);
  });
  context.stayWithoutStdout();
  const target = outputTarget(call, options.quietOk ?? false);
  const output = new Output(child.stdout, child.stderr, { now: context.now, copy: target.copy });
  const say = (text: string) => {
    output.say(text);
    context.stderr.write(`${text}\n`);
  };
  const ended = watchCommand(child, output, {
    timeoutMs: options.timeout === undefined ? undefined : parseDuration(options.timeout),
    say,
  })
    .then(async (end) => {
      giveBack();
      if (end.failure !== undefined) say(`ssblog: error: ${failureText(words[0] as string, end.failure)}`);
      if (!isOk(end, okExits)) await target.show();
      return end;
    })
    .finally(() => output.finish());

  const shipped = await shipOutput(call, settings, {
    started,
    output,
    ended,
    recordOf: (end) => recordOf(end, okExits),
  });
  const end = await ended;
  if (shipped.failure !== undefined) {
    await target.show(); // it would be nowhere
    warn(call, shipped.failure);
  }
  const durationMs = shipped.endedAt - started;
  context.setExitCode(end.timedOut ? EXIT_TIMEOUT : exitStatus(end));
  if (call.globals.json) {
    const { exit, signal } = end;
    context.stdout.write(`${JSON.stringify({ ...shipped.summary, exit, signal, durationMs })}\n`);
  } else if (shipped.summary !== undefined) noteSummary(call, shipped.summary);
}

/** As `invocation`, but only a wrong flag ends it: a wrong environment is ssblog's own trouble, not the command's. */
function anyInvocation(context: Context, command: Command): Invocation {
  try {
    return invocation(context, command);
  } catch (error) {
    if (command.optsWithGlobals<{ path?: string }>().path !== undefined) throw error;
    const call = invocation(context, command, { ...context.environment, SSBLOG_PATH: '/dev/null' });
    warn(call, error);
    return call;
  }
}

/** The command's file, as far as it can be a name. */
function jobName(file: string): string {
  const name = basename(file)
    .replace(/\p{Cc}/gu, '')
    .slice(0, 200);
  return name === '' ? 'run' : name;
}

function readOkExits(text: string | undefined): ReadonlySet<number> {
  const codes = text === undefined ? [] : text.split(',');
  if (codes.every((code) => /^\d{1,3}$/.test(code) && Number(code) <= MAX_EXIT))
    return new Set([0, ...codes.map(Number)]);
  throw new SsblogError('usage', `--ok-exits: "${text}" is no list of exit codes`, {
    hint: 'for instance: --ok-exits 1,24',
  });
}

function isOk({ exit, timedOut }: Watched, okExits: ReadonlySet<number>): boolean {
  return exit !== null && okExits.has(exit) && !timedOut;
}

/** What the run's record says: every machine judges by it. */
function recordOf(end: Watched, okExits: ReadonlySet<number>) {
  const { exit, signal, failure, timedOut } = end;
  const reason = timedOut ? 'timeout' : failure === undefined ? undefined : `spawn ${failure.code ?? failure.message}`;
  return {
    exit,
    ...(exit !== 0 && isOk(end, okExits) && { ok: true as const }),
    ...(signal !== null && { signal }),
    ...(reason !== undefined && { reason: reason.slice(0, 500) }),
  };
}

function failureText(file: string, failure: NodeJS.ErrnoException): string {
  if (failure.code === 'ENOENT') return `${file === '' ? "''" : file}: command not found`;
  if (failure.code === 'EACCES') return `${file}: permission denied, or no program`;
  return `${file}: ${failure.message}`;
}

/** @returns false when a run of the job still goes on; that is said in its log */
async function mayStart(call: Invocation, settings: ShipSettings): Promise<boolean> {
  const { lockJob } = await import('../job-lock.ts');
  try {
    if (await lockJob(call, settings)) return true;
  } catch (error) {
    warn(call, error, 'the job is not locked');
    return true;
  }
  const text = `ssblog: notice: skipped: a run of ${settings.job} is still going on`;
  if (call.globals.verbose) note(call, text.slice('ssblog: '.length));
  try {
    await shipSkipped(call, settings, text);
  } catch (error) {
    warn(call, error);
  }
  return false;
}

/** Whatever is wrong with ssblog is one line on stderr, and no failure of the command. */
function warn({ context }: Invocation, error: unknown, what = 'not everything is logged'): void {
  const { message, hint } = error as { message: string; hint?: string };
  context.stderr.write(`ssblog: warning: ${what}: ${message}${hint === undefined ? '' : ` (${hint})`}\n`);
}
