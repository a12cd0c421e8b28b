/** `whoami`: this machine's id. */
import type { Command } from 'commander';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('whoami')
    .description("print this machine's id")
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const { config, identity } = await loadMachine(call);
  answer(call, { id: identity.id, name: config.name }, `${identity.id}\n`);
}
