/** `start`: the daemon, in the foreground. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { type Context, type Invocation, invocation, loadMachine } from '../context.ts';
import { startTelling } from '../telling.ts';
import { optimizeLater } from '../v8-flags.ts';

/** A clean end takes longer only when something hangs. */
const CLOSE_DEADLINE_MS = 5_000;

interface StartOptions {
  readonly catchUp: boolean;
}

export function register(program: Command, context: Context): void {
  program
    .command('start')
    .description('run the daemon in the foreground; it is ready when it prints "listening" on stderr')
    .option('--no-catch-up', 'write at once, without hearing from others how far the feed of this machine goes')
    .addHelpText(
      'after',
      `
SIGTERM and SIGINT end it in order, with exit status 0. A damaged store is mended first, as by ssblog doctor --fix.`,
    )
    .action((options: StartOptions, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, { catchUp }: StartOptions): Promise<void> {
  const { context } = call;
  const access = await loadMachine(call);
  const { parseNotifiers } = await import('../../config/notifiers.ts');
  const notifiers = parseNotifiers(access.config);
  const { startDaemon } = await import('../../peer/daemon.ts');
  const options = { underSystemd: context.environment.NOTIFY_SOCKET !== undefined, noCatchUp: !catchUp };
  const daemon = await startDaemon(access, options).catch(async (error: unknown) => {
    await mendOrThrow(call, error);
    return startDaemon(access, options);
  });
  const telling = await startTelling(daemon, access, { notifiers, environment: context.environment });
  optimizeLater();
  context.stderr.write(`ssblog: listening on ${daemon.addresses.join(' ')}\n`);
  await Promise.race([aborted(context.signal), daemon.stopRequested, daemon.failed]);
  await withDeadline(
    telling.close().finally(() => daemon.close()),
    CLOSE_DEADLINE_MS,
  );
  context.setExitCode(0); // a signal that asks a daemon to end is no failure
}

/** A daemon that nobody looks after must not stay away because of a damaged store. @throws `error` if that is not it */
async function mendOrThrow(call: Invocation, error: unknown): Promise<void> {
  if (!(error instanceof SsblogError) || error.code !== 'store') throw error;
  const [{ mendStore }, { examineOptions }] = await Promise.all([
    import('../../doctor/mend-store.ts'),
    import('../examine-options.ts'),
  ]);
  const { dir, flags, context } = call;
  const { options, end } = examineOptions(call, false);
  try {
    if (!(await mendStore({ dir, flags, environment: context.environment }, options))) throw error;
  } finally {
    end();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SsblogError('peer', `the daemon did not end in order within ${deadlineMs / 1000} s`));
    }, deadlineMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
