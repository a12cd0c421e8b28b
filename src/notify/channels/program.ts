/** Runs a program that tells somebody: without a shell, for a limited time, and with all that it started. */
import { spawn } from 'node:child_process';
import { SsblogError } from '../../errors.ts';
import { cleanLine } from '../words.ts';

/** Of what it says about its failure. */
const MAX_STDERR_BYTES = 4096;

export interface ProgramOptions {
  readonly input?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** @throws SsblogError `notify` when it cannot be started, does not end in time, or ends with anything but 0 */
export async function runProgram(commandLine: readonly string[], options: ProgramOptions): Promise<void> {
  const [file = '', ...args] = commandLine;
  const { signal, environment, input } = options;
  if (signal.aborted) throw failure(file, 'there was no time left', undefined);
  // A group of its own: what it started in turn ends with it.
  const child = spawn(file, args, { env: { ...environment }, stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  const end = () => killGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  let said = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    said = (said + text).slice(-MAX_STDERR_BYTES);
  });
  child.stdin.on('error', () => undefined); // it need not read what it is given
  child.stdin.end(input ?? '');
  try {
    const how = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      // Not `close`: what it left running may hold its stderr for ever.
      child.once('exit', (code, by) => resolve(code === 0 ? undefined : by === null ? `exit code ${code}` : by));
    });
    if (signal.aborted) throw failure(file, 'it did not end in time', undefined);
    if (how !== undefined) throw failure(file, how, said);
  } finally {
    signal.removeEventListener('abort', end);
    child.stderr.destroy();
  }
}

function failure(file: string, how: string, said: string | undefined): SsblogError {
  const last = said?.trimEnd().split('\n').at(-1) ?? '';
  return new SsblogError('notify', `${file}: ${how}${last === '' ? '' : `: ${cleanLine(last)}`}`);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended meanwhile
  }
}
