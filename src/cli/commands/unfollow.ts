/** `unfollow`: no longer replicates a machine's feed. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
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
  const { openControl } = await import('../../peer/open-control.ts');
  const id = await findMachine(access, machine);
  if (id === access.identity.id) throw new SsblogError('usage', 'that is the id of this machine itself');
  const control = await openControl(access);
  try {
    await control.write([{ type: 'contact', contact: id, following: false }]);
  } finally {
    await control.close();
  }
  answer(call, { id, following: false, blocking: false }, `no longer following ${machine}\n`);
}

async function findMachine(access: MachineAccess, machine: string): Promise<string> {
  const { parseId, resolveMachine } = await import('../machine-names.ts');
  if (machine.startsWith('@')) return parseId(machine);
  const { openReader } = await import('../reader.ts');
  const store = await openReader(access);
  try {
    return resolveMachine(machine, store.names(access.identity.id));
  } finally {
    store.close();
  }
}
