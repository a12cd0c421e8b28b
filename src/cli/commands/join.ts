/** `join`: makes this a machine of another machine's network, by the code that `invite` printed there. */
import { existsSync } from 'node:fs';
import { text as readText } from 'node:stream/consumers';
import type { Command } from 'commander';
import { machinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { JoinCode } from '../../peer/invites/code.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('join')
    .description('join the network of another machine by a code that `ssblog invite` printed there')
    .argument('<code...>', 'the code; "-" reads it from stdin, so that it is not in the list of processes')
    .addHelpText(
      'after',
      `
Makes a machine where there is none. Both follow each other as soon as they meet: at once, or when the daemon
reaches the other one; ssblog status then says "waiting for NAME". Repeating it does no harm.
Exit status: 0 also when the other machine cannot be reached now; 1 when it refuses the invite; 2 for a code that is
mistyped or of another network.`,
    )
    .action((parts: string[], _options, command: Command) => run(invocation(context, command), parts));
}

async function run(call: Invocation, parts: readonly string[]): Promise<void> {
  const { decodeJoinCode } = await import('../../peer/invites/code.ts');
  // A code that was wrapped by a terminal comes in pieces.
  const text = parts.join('') === '-' ? await readText(call.context.stdin) : parts.join('');
  const code = decodeJoinCode(text);
  const access = await machineFor(call, code);
  const { openControl } = await import('../../peer/open-control.ts');
  const control = await openControl(access, { dials: true });
  try {
    const { config, identity, paths } = access;
    const { joined, connected, refused } = await control.join(text.replace(/\s+/g, ''));
    answer(
      call,
      {
        name: config.name,
        id: identity.id,
        path: paths.dir,
        port: config.port,
        networkKey: config.networkKey,
        inviter: { id: code.id, name: code.name },
        joined,
      },
      joined ? `joined: ${config.name} and ${code.name} follow each other\n` : `waiting for ${code.name}\n`,
    );
    if (joined) note(call, control.isDaemon ? 'see: ssblog machines' : 'next: ssblog start');
    else if (connected) note(call, `${code.name} is connected but did not answer yet; it is asked again`);
    else if (refused)
      note(
        call,
        `at the address of ${code.name} the handshake is refused: when its network key was changed (rekey), ask for a new join code`,
      );
    else if (control.isDaemon)
      note(call, `${code.name} cannot be reached now; the daemon goes on trying: ssblog status`);
    else note(call, `${code.name} cannot be reached now; the daemon goes on trying. Next: ssblog start`);
  } finally {
    await control.close();
  }
}

/** The machine that is there, when it is of the code's network, else a new one. */
async function machineFor(call: Invocation, code: JoinCode): Promise<MachineAccess> {
  if (existsSync(machinePaths(call.dir).config)) {
    const access = await loadMachine(call);
    const { checkCode } = await import('../../peer/invites/door.ts');
    checkCode(code, { id: access.identity.id, networkKey: access.config.networkKey });
    return access;
  }
  const [{ initMachine }, { defaultName, givenValues }] = await Promise.all([
    import('../../config/init.ts'),
    import('../init-values.ts'),
  ]);
  if (call.flags.networkKey !== undefined && call.flags.networkKey !== code.networkKey) {
    throw new SsblogError('usage', '--network-key is not that of the join code', { hint: 'leave it out' });
  }
  const values = { ...givenValues(call), networkKey: code.networkKey };
  initMachine({ dir: call.dir, values, defaultName: defaultName() });
  // What the environment says of the key is of no use to a machine that has just been given another.
  const { SSBLOG_NETWORK_KEY: _, ...environment } = call.context.environment;
  return loadMachine({ ...call, context: { ...call.context, environment } });
}
