/** `pipe`: every line of stdin becomes a line of the log. */
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import { parseDuration } from '../../config/duration.ts';
import { SsblogError } from '../../errors.ts';
import type { LogRunContent } from '../../message/content.ts';
import type { RunLabels } from '../../message/record.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { parseLevelFlag } from '../level-flag.ts';

interface PipeOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly job?: string;
  readonly level?: string;
  readonly tee?: boolean;
  readonly every?: string;
  readonly grace?: string;
  readonly blocks: boolean;
}

export function register(program: Command, context: Context): void {
  program
    .command('pipe')
    .description('ship stdin, line by line')
    .option('-s, --source <source>', "where the data comes from (default: this machine's name)")
    .option('-d, --destination <destination>', 'where the data goes to')
    .option('-j, --job <job>', 'the job whose output this is')
    .option('-l, --level <level>', 'the level of every line (default: as the line itself says)')
    .option('--tee', 'also copy stdin to stdout')
    .option('--every <duration>', 'with --job: it should run this often (24h, 7d)')
    .option('--grace <duration>', 'with --every: it may be this late')
    .option('--no-blocks', 'one message for each line, however fast they come')
    .addHelpText(
      'after',
      `
When the daemon cannot take the lines they go to a spool file, from which it takes them later: the exit status
is 0 all the same, so that a backup never fails because of its log.`,
    )
    .action((options: PipeOptions, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, options: PipeOptions): Promise<void> {
  const { context } = call;
  const level = options.level === undefined ? undefined : parseLevelFlag(options.level);
  checkSchedule(options);
  refuseDirectory(context.stdin);
  const access = await loadMachine(call);
  const [
    { checkName },
    { splitLines },
    { Packer },
    { pumpLines },
    { newRunId },
    { Shipper },
    spoolFile,
    { openControl },
  ] = await Promise.all([
    import('../machine-names.ts'),
    import('../../lines/split.ts'),
    import('../../writer/pack.ts'),
    import('../../writer/pump.ts'),
    import('../../writer/run-id.ts'),
    import('../../writer/ship.ts'),
    import('../../writer/spool-file.ts'),
    import('../../peer/open-control.ts'),
  ]);
  const started = context.now();
  const labels: RunLabels = {
    run: newRunId(started),
    source: checkName('--source', options.source ?? access.config.name),
    ...(options.destination !== undefined && { destination: checkName('--destination', options.destination) }),
    ...(options.job !== undefined && { job: checkName('--job', options.job) }),
  };
  const clock = () => performance.now();
  const packer = new Packer({ labels, level, blocks: options.blocks, now: clock });
  const shipper = new Shipper({
    openSink: () => openControl(access),
    spool: spoolFile.createSpoolFile(access.paths.spool, labels.run),
    onSpool: (reason) => {
      context.stderr.write(
        `ssblog: ${(reason as Error).message}: the lines wait in ${access.paths.spool} for the daemon\n`,
      );
    },
    onCloseFailure: (error) => {
      context.stderr.write(`ssblog: the peer did not close in order: ${(error as Error).message}\n`);
    },
  });

  const record = (content: Partial<LogRunContent>): LogRunContent => ({
    type: 'log-run',
    ...labels,
    state: 'start',
    started,
    ...(options.every !== undefined && { every: options.every }),
    ...(options.grace !== undefined && { grace: options.grace }),
    ...content,
  });
  if (options.job !== undefined) await shipper.ship([record({})]);
  if (options.tee) context.stayWithoutStdout();
  const input = endSoonAfter(context.signal, context.stdin);
  const chunks = options.tee ? teeing(input, context.stdout) : input;
  await pumpLines(splitLines(chunks, { now: context.now }), packer, shipper, clock);
  if (options.job !== undefined) {
    const ended = { ended: context.now(), exit: null, lines: packer.lines, levels: { ...packer.levelCounts } };
    await shipper.ship([record({ state: 'end', ...ended })]);
  }

  const { spooled, dropped, failure } = await shipper.finish();
  if (failure !== undefined) {
    throw new SsblogError(
      'io',
      `${dropped} lines are lost, neither peer nor spool took them: ${(failure as Error).message}`,
      {
        hint: 'look at the disk and the rights of the directory',
        cause: failure,
      },
    );
  }
  const summary = { run: labels.run, lines: packer.lines, published: packer.lines - spooled, spooled };
  if (call.globals.json) answer(call, summary, '');
  else if (call.globals.verbose)
    note(call, `${packer.lines} lines of run ${labels.run}, ${spooled} of them in the spool`);
}

/** Node reads a directory as if it were empty. */
function refuseDirectory(stdin: Context['stdin']): void {
  const { fd } = stdin as { fd?: unknown };
  if (typeof fd !== 'number' || !fstatSync(fd).isDirectory()) return;
  throw new SsblogError('usage', 'stdin is a directory', { hint: 'give lines to it: COMMAND | ssblog pipe' });
}

/** As in the message that carries it. */
const MAX_SCHEDULE_UNITS = 50;

function checkSchedule({ job, every, grace }: PipeOptions): void {
  for (const [flag, value] of [
    ['--every', every],
    ['--grace', grace],
  ] as const) {
    if (value === undefined) continue;
    if (job === undefined) throw new SsblogError('usage', `${flag} needs --job`, { hint: 'only a job has a schedule' });
    if (value.length <= MAX_SCHEDULE_UNITS && (parseDuration(value) ?? 0) > 0) continue;
    throw new SsblogError('usage', `${flag}: "${value}" is no duration`, {
      hint: 'durations: 90s, 30m, 24h, 7d, 1h30m',
    });
  }
  if (grace !== undefined && every === undefined) throw new SsblogError('usage', '--grace needs --every');
}

/** After a signal the producer, which got it too, has this long to say its last words. */
const LAST_WORDS_MS = 1_000;

/** The input, ended a little after a signal came: what was read until then is still shipped. */
function endSoonAfter(signal: AbortSignal, input: Context['stdin']): AsyncIterable<Uint8Array> {
  const end = () => {
    setTimeout(() => input.destroy(), LAST_WORDS_MS).unref();
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return chunksOf(input, signal);
}

async function* chunksOf(input: Context['stdin'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of input) yield chunk as Uint8Array;
  } catch (error) {
    // Destroyed by ourselves, because of the signal.
    if (!signal.aborted) throw error;
  }
}

/** The reader of the copy may leave (`| head`): the lines are shipped all the same. */
async function* teeing(chunks: AsyncIterable<Uint8Array>, output: Context['stdout']): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (output.writable && !output.write(chunk)) {
      await new Promise<void>((resolve) => {
        const goOn = () => {
          output.off('drain', goOn).off('close', goOn);
          resolve();
        };
        output.on('drain', goOn).on('close', goOn);
      });
    }
    yield chunk;
  }
}
