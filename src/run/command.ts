/** A command that was started: its output, its end, and the signals that it gets. Knows nothing of logs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { systemCode } from '../errors.ts';
import { type Channel, openChannels } from './channels.ts';

export interface CommandEnd {
  /** null when a signal ended it, or it never began. */
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it never began. */
  readonly failure?: NodeJS.ErrnoException;
}

export interface StartOptions {
  /** What new files of the command are not to be; undefined: as this process has it. */
  readonly umask?: number | undefined;
  /** A session of its own although there is a terminal: then all that it starts can be ended with it. */
  readonly ownSession: boolean;
}

export interface Command {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when it has ended, however; its output may go on, when it left processes behind. */
  readonly end: Promise<CommandEnd>;
  /** Whether it is alone in a session. */
  readonly ownSession: boolean;
  /** To the command, and where it has a session of its own to all that it started. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts it at once; stdin is this process's. Never throws: a command that cannot be started has ended. */
export function startCommand(command: readonly string[], options: StartOptions): Command {
  const ownSession = options.ownSession || !hasTerminal();
  const channels = openChannels(2);
  const umask = options.umask === undefined ? undefined : process.umask(options.umask);
  try {
    const child = spawn(command[0] as string, command.slice(1), {
      stdio: ['inherit', channels?.[0]?.writer ?? 'pipe', channels?.[1]?.writer ?? 'pipe'],
      detached: ownSession,
    });
    const [stdout, stderr] = outputs(child, channels);
    return { stdout, stderr, end: endOf(child), ownSession, kill: (signal) => kill(child, signal, ownSession) };
  } catch (error) {
    // What spawn does not tell by an event (an argument list that is too long, a NUL in it).
    const failure = error as NodeJS.ErrnoException;
    if (command[0] === '') failure.code = 'ENOENT'; // Node does not look for it
    const [stdout, stderr] = [channels?.[0]?.reader ?? emptyStream(), channels?.[1]?.reader ?? emptyStream()];
    const end = Promise.resolve({ exit: null, signal: null, failure });
    return { stdout, stderr, end, ownSession, kill: () => undefined };
  } finally {
    if (umask !== undefined) process.umask(umask);
    for (const { writer } of channels ?? []) closeSync(writer);
  }
}

/** What a shell gives: 127 for what is not found, 126 for what cannot be run, 128 and the number of a signal. */
export function exitStatus({ exit, signal, failure }: CommandEnd): number {
  if (failure !== undefined) return systemCode(failure) === 'ENOENT' ? 127 : 126;
  return exit ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Who starts from cron or a service manager has none. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function outputs(child: ChildProcess, channels: readonly Channel[] | undefined): [Readable, Readable] {
  if (channels !== undefined) return [(channels[0] as Channel).reader, (channels[1] as Channel).reader];
  return [child.stdout ?? emptyStream(), child.stderr ?? emptyStream()];
}

function emptyStream(): Readable {
  return Readable.from([]);
}

async function endOf(child: ChildProcess): Promise<CommandEnd> {
  try {
    const [exit, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return { exit, signal };
  } catch (error) {
    return { exit: null, signal: null, failure: error as NodeJS.ErrnoException };
  }
}

function kill({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals, ownSession: boolean): void {
  if (pid === undefined) return;
  // Alone, it has been waited for when it ended, and another may have its number; a group keeps it.
  if (!ownSession && (exitCode !== null || signalCode !== null)) return;
  try {
    process.kill(ownSession ? -pid : pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error; // it has just ended
  }
}
