/** `new-identity`: the way out for a machine whose feed has forked, or that shares its identity with another one. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { Content } from '../../message/content.ts';
import { answer, type Context, type Invocation, invocation, loadMachineConfig, note } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('new-identity')
    .description('give this machine an identity and a feed of its own, when its feed has forked or was copied')
    .addHelpText(
      'after',
      `
Stop the daemon first. The old key pair and the old feeds are put away in the directory; settings, whom it follows
and what waits in the spool stay. The other machines must follow the new id.`,
    )
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const { config, paths } = await loadMachineConfig(call);
  const [{ takeLock }, { replaceIdentity }, { openControl }] = await Promise.all([
    import('../../peer/lock.ts'),
    import('../../config/new-identity.ts'),
    import('../../peer/open-control.ts'),
  ]);
  const notice = (text: string) => note(call, text);
  const lock = takeLock(paths);
  let contacts: Content[];
  let renewed: ReturnType<typeof replaceIdentity>;
  try {
    contacts = existsSync(paths.secret) ? await readContacts(paths, notice) : []; // else an earlier call was interrupted
    renewed = replaceIdentity(paths, new Date(call.context.now()));
  } finally {
    lock.close();
  }
  const { identity, old } = renewed;
  const control = await openControl({ config, paths, identity, notice });
  try {
    if (contacts.length > 0) await control.write(contacts);
  } finally {
    await control.close();
  }
  answer(call, { id: identity.id, old }, `${identity.id}\n`);
  notice(`the old identity and its feeds are in ${old}`);
  notice(`on every machine that followed this one: ssblog follow ${identity.id}`);
}

/** Whom it follows or blocks; and itself as it was, so that what others have of the old feed comes back. */
async function readContacts(paths: MachinePaths, notice: (text: string) => void): Promise<Content[]> {
  const [{ readIdentity }, { openStore }] = await Promise.all([
    import('../../config/identity.ts'),
    import('../../store/open.ts'),
  ]);
  try {
    const { id } = readIdentity(paths);
    const store = openStore(paths.store, { readOnly: true });
    try {
      const contacts = store.contacts().filter(({ from, to }) => from === id && to !== id);
      return [
        { type: 'contact', contact: id, following: true, blocking: false },
        ...contacts.map(
          ({ to, following, blocking }): Content => ({ type: 'contact', contact: to, following, blocking }),
        ),
      ];
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    notice(`whom this machine followed cannot be read (${error.message}): use ssblog follow`);
    return [];
  }
}
