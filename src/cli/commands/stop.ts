/** `stop`: asks the daemon to end and waits until it has. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

const PATIENCE_MS = 15_000;
const LOOK_MS = 25;

export function register(program: Command, context: Context): void {
  program
    .command('stop')
    .description('ask the daemon to stop and wait until it has')
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const { connectDaemon } = await import('../../peer/client.ts');
  const daemon = await connectDaemon(access.config, access.identity, access.paths);
  // A command's own peer answers too; it ends with its command.
  if (daemon === undefined || (await daemon.status()).temporary) {
    await daemon?.close();
    if (daemon === undefined) await requireNobody(access.paths);
    note(call, 'no daemon runs');
    answer(call, { stopped: false }, '');
    return;
  }
  await daemon.stop();
  await daemon.close();
  await waitForEnd(access.paths);
  answer(call, { stopped: true }, '');
}

/** @throws SsblogError `locked` when a process holds the machine that does not answer */
async function requireNobody(paths: MachinePaths): Promise<void> {
  const { takeLock } = await import('../../peer/lock.ts');
  takeLock(paths).close();
}

/** The lock is what a daemon lets go of last. */
async function waitForEnd(paths: MachinePaths): Promise<void> {
  const { takeLock } = await import('../../peer/lock.ts');
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      takeLock(paths).close();
      return;
    } catch (error) {
      if (!(error instanceof SsblogError) || error.code !== 'locked') throw error;
      if (Date.now() > giveUpAt) {
        throw new SsblogError('peer', `the daemon did not end within ${PATIENCE_MS / 1000} s`, { cause: error });
      }
    }
    await delay(LOOK_MS);
  }
}
