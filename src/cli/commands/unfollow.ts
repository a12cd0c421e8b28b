/** `unfollow`: no longer replicates a machine's feed. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('unfollow')
    .description("no longer replicate a machine's feed; what is here stays")
    .argument('<machine>', 'its name or id')
    .action((machine: string, _options, command: Command) => run(invocation(context, command), machine));
}

async function run(call: Invocation, machine: string): Promise<void> {
  const access = await loadMachine(call);
  const [{ openControl }, { findMachine }] = await Promise.all([
    import('../../peer/open-control.ts'),
    import('../find-machine.ts'),
  ]);
  const control = await openControl(access);
  try {
    const { id } = await findMachine(access, control, machine);
    if (id === access.identity.id) throw new SsblogError('usage', 'that is the id of this machine itself');
    await control.write([{ type: 'contact', contact: id, following: false }]);
    answer(call, { id, following: false, blocking: false }, `no longer following ${machine}\n`);
  } finally {
    await control.close();
  }
}
