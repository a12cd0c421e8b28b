/** `follow`: replicates a machine's feed from now on. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { Content } from '../../message/content.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('follow')
    .description("replicate a machine's feed from now on")
    .argument('<id>', 'its id: @….ed25519, as `ssblog whoami` prints it there')
    .option('--name <name>', 'also call it so on this machine')
    .action((id: string, options: { name?: string }, command: Command) =>
      run(invocation(context, command), id, options),
    );
}

async function run(call: Invocation, text: string, options: { name?: string }): Promise<void> {
  const access = await loadMachine(call);
  const [{ openControl }, { checkName, parseId }] = await Promise.all([
    import('../../peer/open-control.ts'),
    import('../machine-names.ts'),
  ]);
  const id = parseId(text);
  if (id === access.identity.id) throw new SsblogError('usage', 'that is the id of this machine itself');
  const contents: Content[] = [{ type: 'contact', contact: id, following: true, blocking: false }];
  if (options.name !== undefined) contents.push({ type: 'about', about: id, name: checkName('--name', options.name) });
  const control = await openControl(access);
  try {
    await control.write(contents);
  } finally {
    await control.close();
  }
  answer(call, { id, following: true, blocking: false }, `following ${options.name ?? id}\n`);
}
