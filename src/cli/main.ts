/** The process: arguments in, exit code out. The only file that ends it. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { CommanderError } from 'commander';
import { SsblogError, systemCode } from '../errors.ts';
import type { Context } from './context.ts';
import { createProgram } from './program.ts';
import { separateCommand } from './separate-command.ts';
import { openStdin } from './stdin.ts';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;
/** What a shell gives for a process that a signal ended: 128 and the signal's number. */
const EXIT_SIGNAL_BASE = 128;

async function main(argv: readonly string[]): Promise<number> {
  const controller = new AbortController();
  let signalled: number | undefined;
  let chosen: number | undefined;
  let taker: ((signal: NodeJS.Signals) => void) | undefined;
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (taker !== undefined) return taker(name);
      if (signalled !== undefined) process.exit(signalled); // asked twice: whatever it waits for
      signalled ??= EXIT_SIGNAL_BASE + constants.signals[name];
      controller.abort(name);
    });
  }
  let staysWithoutStdout = false;
  // Nobody reads what would be said: that must not end a daemon or lose lines.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has enough (`| head`): that is no failure.
    if (staysWithoutStdout) return;
    if (error.code === 'EPIPE') process.exit(0);
    print(argv, {
      code: 'io',
      message: `the output cannot be written: ${error.message}`,
      hint: 'look at the disk that it goes to',
    });
    process.exit(EXIT_FAILED);
  });
  let stdin: Readable | undefined;
  const context: Context = {
    // Made when it is asked for: Node would change what a command shares that `run` starts.
    get stdin() {
      stdin ??= openStdin();
      return stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    now: Date.now,
    signal: controller.signal,
    umask: inheritedUmask,
    takeSignals: (handle) => {
      taker = handle;
      const onQuit = () => handle('SIGQUIT');
      process.on('SIGQUIT', onQuit);
      return () => {
        taker = undefined;
        process.off('SIGQUIT', onQuit);
      };
    },
    setExitCode: (code) => {
      chosen = code;
    },
    stayWithoutStdout: () => {
      staysWithoutStdout = true;
    },
  };
  const program = createProgram(context, version());
  try {
    if (argv.length === 0) {
      process.stderr.write(program.helpInformation());
      return EXIT_USAGE;
    }
    await program.parseAsync(separateCommand(program, argv), { from: 'user' });
    return chosen ?? signalled ?? 0;
  } catch (error) {
    if (signalled !== undefined && isAbort(error, controller.signal)) return signalled;
    return report(error, argv);
  }
}

/** Streams and timers throw an error of this name, `throwIfAborted` throws the reason itself. */
function isAbort(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || (error as { name?: unknown }).name === 'AbortError');
}

/** @returns the exit code */
function report(error: unknown, argv: readonly string[]): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code === 'commander.help') {
      print(argv, { code: 'usage', message: 'no verb is given', hint: 'see: ssblog --help' });
      return EXIT_USAGE;
    }
    const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
    print(argv, { code: 'usage', message, hint: hint?.replace(/^\((.*)\)$/, '$1') ?? 'see: ssblog --help' });
    return EXIT_USAGE;
  }
  if (error instanceof SsblogError) {
    print(argv, { code: error.code, message: error.message, hint: error.hint });
    if (argv.includes('--verbose') || argv.includes('-v')) process.stderr.write(`${error.stack}\n`);
    return error.exitCode;
  }
  const system = systemCode(error);
  const message = error instanceof Error ? error.message : String(error);
  print(argv, { code: system ?? 'internal', message, hint: undefined });
  // Not foreseen: whoever reports it needs the stack.
  if (error instanceof Error && !argv.includes('--json')) process.stderr.write(`${error.stack}\n`);
  return EXIT_FAILED;
}

function print(
  argv: readonly string[],
  { code, message, hint }: { code: string; message: string; hint: string | undefined },
) {
  if (argv.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint: hint ?? null } })}\n`);
    return;
  }
  process.stderr.write(`ssblog: ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

process.on('uncaughtException', (error) => {
  process.exit(report(error, process.argv.slice(2)));
});

// Nothing is left to wait for, but the verb waits: it must not look like success.
process.on('beforeExit', () => {
  process.exit(report(new Error('ended before its work was done'), process.argv.slice(2)));
});

// What is made here is for its owner alone, also what libraries make.
const inheritedUmask = process.umask(0o077);

async function run(): Promise<never> {
  const exitCode = await main(process.argv.slice(2));
  // What was written last may still fail, and says so by an event.
  await new Promise((resolve) => process.stdout.write('', resolve));
  // SSB's libraries leave timers and sockets behind: the process ends when its work is done.
  process.exit(exitCode);
}

void run();
