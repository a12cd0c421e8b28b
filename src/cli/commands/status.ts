/** `status`: daemon, peers, replication, spool and disk at one glance. */
import type { Command } from 'commander';
import type { Config } from '../../config/keys.ts';
import type { NotifyState } from '../../notify/state-file.ts';
import type { PeerStatus } from '../../peer/control.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('status')
    .description('show daemon, peers, replication, spool and disk')
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const [
    { openReader },
    { spoolState },
    { diskUse },
    { readHold },
    { readNotifyState },
    { readWaiting },
    { rekeyProgress },
    render,
  ] = await Promise.all([
    import('../reader.ts'),
    import('../../writer/spool.ts'),
    import('../disk.ts'),
    import('../../peer/own-feed/hold-text.ts'),
    import('../../notify/state-file.ts'),
    import('../../peer/invites/pending.ts'),
    import('../rekey-progress.ts'),
    import('../render/status.ts'),
  ]);
  const { config, identity, paths } = access;
  const peer = await askDaemon(access);
  const store = await openReader(access);
  try {
    const names = store.names(identity.id);
    const messages = store.messageCount();
    const [spool, disk] = await Promise.all([spoolState(paths.spool), diskUse(paths.dir)]);
    const failing = failingNotifiers(config, readNotifyState(paths.notify));
    const status = {
      id: identity.id,
      name: config.name,
      engine: config.engine,
      daemon: { running: peer !== undefined, pid: peer?.pid ?? null, uptimeMs: peer?.uptimeMs ?? null },
      lines: store.lineCount(),
      messages,
      machines: store.feeds().length,
      addresses: peer?.addresses ?? [],
      peers: (peer?.peers ?? []).map(({ id, address, direction, sinceMs, via }) => ({
        id,
        name: names.get(id) ?? null,
        address,
        direction,
        sinceMs,
        via,
      })),
      lan: peer?.lan ?? { links: [], found: [] },
      replication: named(peer?.replication ?? { have: messages, known: messages, feeds: [] }, names),
      waiting: (peer?.waiting ?? readWaiting(paths.joining)).map(({ id, name, sinceMs, failure }) => ({
        id,
        name,
        sinceMs,
        failure,
      })),
      pending: peer?.knocks.length ?? 0,
      paused: peer?.paused ?? [],
      hold: peer === undefined ? readHold(paths.ownFeed) : peer.hold,
      spool: { files: spool.files, lines: spool.lines },
      disk: { bytes: disk.bytes },
      rekey: rekeyProgress(access, store),
      // Only where somebody is to be told something.
      ...(config.notify !== undefined && { notify: { failing } }),
    };
    const shown = { ...status, notify: { failing }, disk, span: store.span() };
    answer(call, status, render.renderStatus(shown, call.context.now()));
  } finally {
    store.close();
  }
}

/** Those that are configured, and could not tell what they had to. */
function failingNotifiers({ notify }: Config, { notifiers }: NotifyState): string[] {
  if (!Array.isArray(notify)) return [];
  const names = notify.map((notifier: { name?: unknown } | null) => String(notifier?.name));
  return names.filter((name) => (notifiers[name]?.failures ?? 0) > 0);
}

function named({ have, known, feeds }: PeerStatus['replication'], names: ReadonlyMap<string, string>) {
  return { have, known, feeds: feeds.map((feed) => ({ ...feed, name: names.get(feed.id) ?? null })) };
}

async function askDaemon(access: MachineAccess): Promise<PeerStatus | undefined> {
  const { connectDaemon } = await import('../../peer/client.ts');
  const daemon = await connectDaemon(access.config, access.identity, access.paths);
  if (daemon === undefined) return undefined;
  try {
    const status = await daemon.status();
    return status.temporary ? undefined : status;
  } finally {
    await daemon.close();
  }
}
