/** `block`: has nothing to do with a machine any more. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('block')
    .description('never connect to a machine, and neither take nor give its feed')
    .argument('<machine>', 'its name, its id or the beginning of its id')
    .addHelpText(
      'after',
      `
What is here of its feed stays, and it still has the network key: machines that do not block it go on with it.
\`ssblog follow\` or \`ssblog unfollow\` takes the block back.`,
    )
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
    const { id, name } = await findMachine(access, control, machine);
    if (id === access.identity.id) throw new SsblogError('usage', 'that is the id of this machine itself');
    await control.write([{ type: 'contact', contact: id, following: false, blocking: true }]);
    answer(call, { id, following: false, blocking: true }, `blocked ${name ?? id}\n`);
  } finally {
    await control.close();
  }
}
