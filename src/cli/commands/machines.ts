/** `machines`: every machine that is known here. */
import type { Command } from 'commander';
import type { MachineAccess } from '../../peer/open-control.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('machines')
    .description('list the machines that are known here')
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const [{ openReader }, { hopsFrom }, { renderTable }, { renderAgo, renderClockOffset }] = await Promise.all([
    import('../reader.ts'),
    import('../../store/hops.ts'),
    import('../render/table.ts'),
    import('../render/units.ts'),
  ]);
  const self = access.identity.id;
  const connected = await connectedIds(access);
  const store = await openReader(access);
  try {
    const names = store.names(self);
    const contacts = store.contacts();
    const hops = hopsFrom(self, contacts, access.config.hops);
    const feeds = new Map(store.feeds().map((feed) => [feed.id, feed]));
    const followed = new Set(contacts.filter(({ from, following }) => from === self && following).map(({ to }) => to));
    const clockOffsets = store.clockOffsets();
    clockOffsets.delete(self); // it cannot see its own clock
    const ids = new Set([self, ...followed, ...hops.keys(), ...feeds.keys(), ...connected]);
    const machines = [...ids].map((id) => ({
      name: names.get(id) ?? (id === self ? access.config.name : null),
      id,
      hops: hops.get(id) ?? null,
      followed: followed.has(id),
      connected: connected.has(id),
      lastLine: feeds.get(id)?.lastAt ?? null,
      lines: feeds.get(id)?.lines ?? 0,
      clockOffsetMs: clockOffsets.get(id) ?? null,
    }));
    machines.sort(
      (a, b) => (a.hops ?? Infinity) - (b.hops ?? Infinity) || (a.name ?? a.id).localeCompare(b.name ?? b.id),
    );
    const now = call.context.now();
    const rows = machines.map((machine) => [
      machine.name ?? '-',
      machine.hops === 0
        ? 'this one'
        : machine.followed
          ? 'followed'
          : machine.hops === null
            ? '-'
            : `${machine.hops} hops`,
      machine.connected ? 'connected' : '-',
      String(machine.lines),
      renderAgo(machine.lastLine, now),
      renderClockOffset(machine.clockOffsetMs),
      machine.id,
    ]);
    answer(call, machines, renderTable(['NAME', 'RELATION', 'NOW', 'LINES', 'LAST LINE', 'CLOCK', 'ID'], rows));
  } finally {
    store.close();
  }
}

async function connectedIds(access: MachineAccess): Promise<Set<string>> {
  const { connectDaemon } = await import('../../peer/client.ts');
  const daemon = await connectDaemon(access.config, access.identity, access.paths);
  if (daemon === undefined) return new Set();
  try {
    return new Set((await daemon.status()).peers.map(({ id }) => id));
  } finally {
    await daemon.close();
  }
}
