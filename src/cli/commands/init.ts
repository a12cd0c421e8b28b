/** `init`: makes a machine. */
import type { Command } from 'commander';
import { answer, type Context, type Invocation, invocation, note } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('init')
    .description('make a machine: a new network, or with --network-key one more machine of a network')
    .addHelpText(
      'after',
      `
A directory of a stock ssb-server is taken over as it is when --network-key is given.
Exit status: 2 when the directory holds a machine already; nothing is ever overwritten.`,
    )
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const [{ initMachine }, { defaultName, givenValues }] = await Promise.all([
    import('../../config/init.ts'),
    import('../init-values.ts'),
  ]);
  const values = givenValues(call);
  const { config, identity, paths } = initMachine({ dir: call.dir, values, defaultName: defaultName() });
  answer(
    call,
    { name: config.name, id: identity.id, path: paths.dir, port: config.port, networkKey: config.networkKey },
    `name         ${config.name}\nid           ${identity.id}\npath         ${paths.dir}\nport         ${config.port}\n` +
      `network key  ${config.networkKey}\n`,
  );
  if (call.globals.json) return;
  note(call, 'whoever has the network key can read the logs of all its machines: keep it secret');
  note(call, 'next: ssblog start, and for another machine: ssblog invite');
}
