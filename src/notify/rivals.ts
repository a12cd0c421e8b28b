/** The other machines that tell a person. Only those that this one follows itself count. */
import type { MachineFacts } from '../jobs/machine-facts.ts';
import type { Store } from '../store/store.ts';
import type { Rival } from './turns.ts';

export function readRivals(
  store: Store,
  to: string,
  { self, facts, connected }: { self: string; facts: MachineFacts; connected: ReadonlySet<string> },
): Rival[] {
  return store
    .claims(to)
    .filter((id) => id !== self && facts.trusted.has(id))
    .map((id) => ({ id, isConnected: connected.has(id), heardAt: facts.heardAt(id) }));
}
