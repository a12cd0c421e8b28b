/** `notify`: who is told what, and whether that works. */
import type { Command } from 'commander';
import { channelOf, DEFAULT_TIMEOUT_MS, type NotifierConfig } from '../../config/notifiers.ts';
import { SsblogError } from '../../errors.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';
import { renderNotifiers } from '../render/notifiers.ts';
import { renderTable } from '../render/table.ts';

const HELP = `
Notifiers stand in config.json, under "notify"; the daemon reads them when it starts. README.md has an example of each
kind: desktop, command, webhook, ntfy, mail.`;

export function register(program: Command, context: Context): void {
  const notify = program
    .command('notify')
    .description('show who is told when a job fails or does not run, and try it')
    .addHelpText('after', HELP);
  notify
    .command('test [name]')
    .description('send a test message now: by all notifiers, or by one')
    .action((name: string | undefined, _options, command: Command) => runTest(invocation(context, command), name));
  notify
    .command('list', { isDefault: true })
    .description('show each notifier, when it last told something, and what went wrong')
    .action((_options, command: Command) => runList(invocation(context, command)));
}

interface Outcome {
  readonly name: string;
  readonly channel: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly error: string | null;
}

async function runTest(call: Invocation, name: string | undefined): Promise<void> {
  const access = await loadMachine(call);
  const notifiers = (await configured(access)).filter((notifier) => name === undefined || notifier.name === name);
  if (notifiers.length === 0) {
    if (name !== undefined)
      throw new SsblogError('usage', `no notifier is called "${name}"`, { hint: 'see: ssblog notify list' });
    throw new SsblogError('usage', 'nobody is to be told anything: config.json has no "notify"', {
      hint: 'README.md has an example of each kind',
    });
  }
  const outcomes = await Promise.all(notifiers.map((notifier) => tryOut(call, access, notifier)));
  const rows = outcomes.map(({ name: one, channel, error, ms }) => [one, channel, error ?? `taken after ${ms} ms`]);
  answer(call, outcomes, renderTable(['NAME', 'CHANNEL', 'TEST'], rows));
  if (outcomes.some(({ ok }) => !ok)) call.context.setExitCode(1);
}

async function tryOut({ context, dir }: Invocation, access: MachineAccess, notifier: NotifierConfig): Promise<Outcome> {
  const [{ channelFor }, { testNotice }] = await Promise.all([
    import('../../notify/channels/index.ts'),
    import('../../notify/words.ts'),
  ]);
  const by = { id: access.identity.id, name: access.config.name };
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(notifier.timeout ?? DEFAULT_TIMEOUT_MS)]);
  const began = performance.now();
  const outcome = { name: notifier.name, channel: channelOf(notifier) };
  const ms = () => Math.round(performance.now() - began);
  try {
    const notice = testNotice({ to: notifier.to, by, now: context.now() });
    await channelFor(notifier)(notice, { signal, environment: context.environment, dir });
    return { ...outcome, ok: true, ms: ms(), error: null };
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    return { ...outcome, ok: false, ms: ms(), error: error.message };
  }
}

async function runList(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const notifiers = await configured(access);
  const [{ readNotifyState, NEW_NOTIFIER }, { readRivals }, { machineFacts }, { openReader }] = await Promise.all([
    import('../../notify/state-file.ts'),
    import('../../notify/rivals.ts'),
    import('../../jobs/machine-facts.ts'),
    import('../reader.ts'),
  ]);
  const state = readNotifyState(access.paths.notify);
  const store = await openReader(access);
  try {
    const self = access.identity.id;
    const facts = machineFacts(store, { self, now: call.context.now() });
    const rows = notifiers.map((notifier) => {
      const { entries, recent: _, ...rest } = state.notifiers[notifier.name] ?? NEW_NOTIFIER;
      const rivals =
        notifier.to === undefined ? [] : readRivals(store, notifier.to, { self, facts, connected: new Set() });
      return {
        name: notifier.name,
        to: notifier.to ?? null,
        channel: channelOf(notifier),
        ...rest,
        waiting: entries.filter(({ toldAt }) => toldAt === null).length,
        told: entries.filter(({ toldAt }) => toldAt !== null).length,
        others: rivals.map(({ id }) => ({ id, name: facts.names.get(id) ?? null })),
      };
    });
    answer(call, rows, renderNotifiers(rows, call.context.now()));
  } finally {
    store.close();
  }
}

async function configured({ config }: MachineAccess): Promise<NotifierConfig[]> {
  const { parseNotifiers } = await import('../../config/notifiers.ts');
  return parseNotifiers(config);
}
