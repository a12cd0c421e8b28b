/** `init`: makes a machine. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { CONFIG_KEYS, type ConfigKey, environmentName } from '../../config/keys.ts';
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
  const { initMachine } = await import('../../config/init.ts');
  const { context, flags, globals } = call;
  const values: Partial<Record<ConfigKey, string>> = {};
  for (const key of CONFIG_KEYS) {
    const value = flags[key] ?? context.environment[environmentName(key)];
    if (value !== undefined) values[key] = value;
  }
  const { config, identity, paths } = initMachine({ dir: call.dir, values, defaultName: defaultName() });
  answer(
    call,
    { name: config.name, id: identity.id, path: paths.dir, port: config.port, networkKey: config.networkKey },
    `name         ${config.name}\nid           ${identity.id}\npath         ${paths.dir}\nport         ${config.port}\n` +
      `network key  ${config.networkKey}\n`,
  );
  if (globals.json) return;
  note(call, 'whoever has the network key can read the logs of all its machines: keep it secret');
  note(call, 'next: ssblog start, and on another machine: ssblog init --network-key KEY');
}

function defaultName(): string {
  return hostname().split('.')[0] || 'machine';
}
