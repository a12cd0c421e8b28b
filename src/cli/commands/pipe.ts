/** `pipe`: every line of stdin becomes a line of the log. */
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, note } from '../context.ts';
import { addShipOptions, readShipOptions, type ShipOptions } from '../ship-options.ts';
import { noteSummary, openShipment } from '../shipment.ts';

interface PipeOptions extends ShipOptions {
  readonly tee?: boolean;
  readonly exitFile?: string;
}

export function register(program: Command, context: Context): void {
  addShipOptions(program.command('pipe').description('ship stdin, line by line'))
    .option('--tee', 'also copy stdin to stdout')
    .option('--exit-file <file>', "with --job: holds the job's exit code when stdin has ended")
    .addHelpText(
      'after',
      `
When the daemon cannot take the lines they go to a spool file, from which it takes them later: the exit status
is 0 all the same, so that a backup never fails because of its log.

How a job ended is known with --exit-file, in sh and bash:
  f=$(mktemp); { backup.sh 2>&1; echo $? >"$f"; } | ssblog pipe --job home --exit-file "$f"; rm "$f"
"ssblog run" needs no such file, and passes the exit code on.`,
    )
    .action((options: PipeOptions, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, options: PipeOptions): Promise<void> {
  const { context } = call;
  const settings = await readShipOptions(options);
  if (options.exitFile !== undefined && options.job === undefined) {
    throw new SsblogError('usage', '--exit-file needs --job', { hint: 'only a job has an exit code' });
  }
  refuseDirectory(context.stdin);
  const started = context.now();
  const shipment = await openShipment(call, settings, started);
  const [{ splitLines }, { pumpLines }] = await Promise.all([
    import('../../lines/split.ts'),
    import('../../writer/pump.ts'),
  ]);
  await shipment.start();
  if (options.tee) context.stayWithoutStdout();
  const input = endSoonAfter(context.signal, context.stdin);
  const chunks = options.tee ? teeing(input, context.stdout) : input;
  const { packer, shipper, clock } = shipment;
  await pumpLines(splitLines(chunks, { now: context.now }), packer, shipper, clock);
  await shipment.end({ exit: await exitCode(call, options, started) });
  const summary = await shipment.finish();
  if (call.globals.json) answer(call, summary, '');
  else noteSummary(call, summary);
}

/** @returns null: not known, which is no failure */
async function exitCode(call: Invocation, { exitFile }: PipeOptions, started: number): Promise<number | null> {
  if (exitFile === undefined) return null;
  const { readExitFile } = await import('../../run/exit-file.ts');
  const found = await readExitFile(exitFile, { started, signal: call.context.signal });
  if (found.problem === undefined) return found.exit;
  note(call, `--exit-file ${exitFile}: ${found.problem}: how the job ended is not known`);
  return null;
}

/** Node reads a directory as if it were empty. */
function refuseDirectory(stdin: Context['stdin']): void {
  const { fd } = stdin as { fd?: unknown };
  if (typeof fd !== 'number' || !fstatSync(fd).isDirectory()) return;
  throw new SsblogError('usage', 'stdin is a directory', { hint: 'give lines to it: COMMAND | ssblog pipe' });
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
