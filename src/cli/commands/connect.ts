/** `connect`: remembers an address and dials it, now and whenever it is lost. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

/** `net:host:port~shs:key` and `ws://host:port~shs:key`; the key is the machine's id without `@` and `.ed25519`. */
const ADDRESS = /^(?:net:[^\s~;]+:(\d{1,5})|wss?:\/\/[^\s~;]+)~shs:[A-Za-z0-9+/]{43}=$/;

export function register(program: Command, context: Context): void {
  program
    .command('connect')
    .description('remember the address of a machine and dial it, now and whenever it is lost')
    .argument('<address>', 'net:HOST:PORT~shs:KEY, as `ssblog start` prints it there')
    .action((address: string, _options, command: Command) => run(invocation(context, command), address));
}

async function run(call: Invocation, address: string): Promise<void> {
  const access = await loadMachine(call);
  checkAddress(address);
  if (address.includes(`~shs:${access.identity.public.replace('.ed25519', '')}`)) {
    throw new SsblogError('usage', 'that is an address of this machine itself', {
      hint: 'give the address that `ssblog start` prints on the other machine',
    });
  }
  const { openControl } = await import('../../peer/open-control.ts');
  const control = await openControl(access);
  try {
    const { connected, error } = await control.connect(address);
    if (connected) note(call, 'connected');
    else if (error === null) note(call, 'remembered; it is dialled when the daemon runs: ssblog start');
    else note(call, `remembered; it cannot be reached now (${error}), the daemon tries again`);
  } finally {
    await control.close();
  }
  answer(call, { address }, '');
}

function checkAddress(address: string): void {
  const port = ADDRESS.exec(address)?.[1];
  if (ADDRESS.test(address) && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535))) return;
  throw new SsblogError('usage', `"${address}" is not an address`, {
    hint: 'an address looks like net:HOST:PORT~shs:KEY; `ssblog start` prints it on that machine',
  });
}
