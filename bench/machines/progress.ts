/** How much of a feed a machine has made durable, seen from outside, and at little cost for whoever is measured. */
import { DatabaseSync } from '@photostructure/sqlite';
import type { Machine } from '../../test/helpers/machine.ts';
import { waitFor } from '../../test/helpers/wait-for.ts';

const EVERY_MS = 5;
const DEADLINE_MS = 20 * 60_000;

/** @returns how many messages of this feed are in the machine's store, all of them committed */
export function messagesOf(machine: Machine, feed: string): number {
  return withStore(machine, (count) => count(feed));
}

/** Resolves when the machine has so many messages of this feed. */
export async function untilDurable(machine: Machine, feed: string, messages: number): Promise<void> {
  const db = open(machine);
  try {
    const count = counter(db);
    await waitFor(`${messages} messages at ${machine.name}`, () => count(feed) >= messages, {
      everyMs: EVERY_MS,
      deadlineMs: DEADLINE_MS,
      detail: () => `there are ${count(feed)}; its daemon said:\n${machine.said}`,
    });
  } finally {
    db.close();
  }
}

function withStore<T>(machine: Machine, work: (count: (feed: string) => number) => T): T {
  const db = open(machine);
  try {
    return work(counter(db));
  } finally {
    db.close();
  }
}

function open(machine: Machine): InstanceType<typeof DatabaseSync> {
  return new DatabaseSync(machine.path('store.db'), { readOnly: true, timeout: 5_000 });
}

function counter(db: InstanceType<typeof DatabaseSync>): (feed: string) => number {
  const statement = db.prepare('SELECT messages FROM machines WHERE id = ?');
  return (feed) => Number((statement.get(feed) as { messages: number } | undefined)?.messages ?? 0);
}
