/** `follow`: replicates a machine's feed from now on. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { Content } from '../../message/content.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('follow')
    .description("replicate a machine's feed from now on")
    .argument('<id|name>', 'its id, as `ssblog whoami` prints it there; or, once it was here, its name')
    .option('--name <name>', 'also call it so on this machine')
    .action((id: string, options: { name?: string }, command: Command) =>
      run(invocation(context, command), id, options),
    );
}

async function run(call: Invocation, text: string, options: { name?: string }): Promise<void> {
  const access = await loadMachine(call);
  const [{ openControl }, { checkName, parseId }, { findMachine }] = await Promise.all([
    import('../../peer/open-control.ts'),
    import('../machine-names.ts'),
    import('../find-machine.ts'),
  ]);
  const given = options.name === undefined ? undefined : checkName('--name', options.name);
  // An id that is none is told without a peer.
  if (text.startsWith('@') && text.endsWith('.ed25519')) parseId(text);
  const control = await openControl(access);
  try {
    const { id, name } = await findMachine(access, control, text);
    if (id === access.identity.id) throw new SsblogError('usage', 'that is the id of this machine itself');
    const contents: Content[] = [{ type: 'contact', contact: id, following: true, blocking: false }];
    if (given !== undefined) contents.push({ type: 'about', about: id, name: given });
    await control.write(contents);
    answer(call, { id, following: true, blocking: false }, `following ${given ?? name ?? id}\n`);
  } finally {
    await control.close();
  }
}
