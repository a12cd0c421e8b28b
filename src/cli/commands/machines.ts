/** `machines`: every machine that is known here. */
import type { Command } from 'commander';
import type { PeerStatus } from '../../peer/control.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
import type { Receipt, Store } from '../../store/store.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('machines')
    .description('list the machines that are known here')
    .option('--pending', 'those that came by with the network key and are not followed')
    .action(({ pending }: { pending?: boolean }, command: Command) => {
      const call = invocation(context, command);
      return pending ? runPending(call) : run(call);
    });
}

async function runPending(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const [{ renderTable }, { renderAgo }, { escapeText }] = await Promise.all([
    import('../render/table.ts'),
    import('../render/units.ts'),
    import('../../assemble/escape-controls.ts'),
  ]);
  const status = await askDaemon(access);
  if (status === undefined) note(call, 'no daemon runs: nobody can come by');
  const now = call.context.now();
  const machines = status?.knocks ?? [];
  const rows = machines.map(({ name, address, atMs, id }) => [
    escapeText(name ?? '-'),
    renderAgo(atMs, now),
    address.replace(/~shs:.*$/, ''),
    id,
  ]);
  answer(call, machines, renderTable(['NAME', 'LAST MET', 'ADDRESS', 'ID'], rows));
  if (machines.length > 0 && !call.globals.json)
    note(call, 'to take one in: ssblog follow NAME, or the beginning of its id');
}

async function run(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const [
    { openReader },
    { hopsFrom },
    { renderTable },
    { renderAgo, renderClockOffset },
    { readInviterNames },
    { readInvitedNames },
    { readReceipts },
    { renderReceipt },
  ] = await Promise.all([
    import('../reader.ts'),
    import('../../store/hops.ts'),
    import('../render/table.ts'),
    import('../render/units.ts'),
    import('../../peer/invites/pending.ts'),
    import('../../peer/invites/book.ts'),
    import('../../peer/receipts.ts'),
    import('../render/receipt.ts'),
  ]);
  const self = access.identity.id;
  const peer = await askDaemon(access);
  const connected = new Set(peer?.peers.map(({ id }) => id));
  const store = await openReader(access);
  try {
    // Until a machine's feed is here, it is called as in its join code, or as it called itself when it joined.
    const names = store.names(self);
    const taken = new Set(names.values());
    for (const [id, name] of [...readInviterNames(access.paths.joining), ...readInvitedNames(access.paths.invites)]) {
      if (!names.has(id) && !taken.has(name)) names.set(id, name);
    }
    const contacts = store.contacts();
    const hops = hopsFrom(self, contacts, access.config.hops);
    const feeds = new Map(store.feeds().map((feed) => [feed.id, feed]));
    const followed = new Set(contacts.filter(({ from, following }) => from === self && following).map(({ to }) => to));
    const receipts = readReceipts(access.paths.receipts);
    const blocked = new Set(contacts.filter(({ from, blocking }) => from === self && blocking).map(({ to }) => to));
    const clockOffsets = store.clockOffsets();
    clockOffsets.delete(self); // it cannot see its own clock
    const ids = new Set([self, ...followed, ...blocked, ...hops.keys(), ...feeds.keys(), ...connected]);
    const machines = [...ids].map((id) => ({
      name: names.get(id) ?? (id === self ? access.config.name : null),
      id,
      hops: hops.get(id) ?? null,
      followed: followed.has(id),
      blocked: blocked.has(id),
      connected: connected.has(id),
      ...receiptOf(store, self, receipts.get(id)),
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
        : machine.blocked
          ? 'blocked'
          : machine.followed
            ? 'followed'
            : machine.hops === null
              ? '-'
              : `${machine.hops} hops`,
      machine.connected ? 'connected' : '-',
      String(machine.lines),
      renderAgo(machine.lastLine, now),
      renderReceipt(machine, now),
      renderClockOffset(machine.clockOffsetMs),
      machine.id,
    ]);
    answer(
      call,
      machines,
      renderTable(['NAME', 'RELATION', 'NOW', 'LINES', 'LAST LINE', 'HAS MINE', 'CLOCK', 'ID'], rows),
    );
  } finally {
    store.close();
  }
}

/** What another machine has of this one's lines, where it said so. */
function receiptOf(store: Store, self: string, sequence: number | undefined): Receipt | { has: null; lacks: null } {
  return sequence === undefined ? { has: null, lacks: null } : store.receipt(self, sequence);
}

async function askDaemon(access: MachineAccess): Promise<PeerStatus | undefined> {
  const { connectDaemon } = await import('../../peer/client.ts');
  const daemon = await connectDaemon(access.config, access.identity, access.paths);
  if (daemon === undefined) return undefined;
  try {
    return await daemon.status();
  } finally {
    await daemon.close();
  }
}
