/**
 * Machines that have the network key and connect, but that nobody here follows: who they say that they are. Kept in
 * memory only: whoever is still there after a restart connects again.
 */
import * as z from 'zod';
import { nameSchema } from '../config/schema.ts';
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

const MAX_KNOCKS = 100;

export const knockSchema = z.object({
  id: z.string(),
  /** As it calls itself; null when it said nothing. */
  name: z.string().nullable(),
  address: z.string(),
  /** When it was last met: milliseconds since the epoch. */
  atMs: z.number(),
});
export type Knock = z.infer<typeof knockSchema>;

export class Knocks {
  readonly #knocks = new Map<string, Knock>();
  readonly #isKnown: (id: string) => boolean;
  readonly #now: () => number;

  /** @param isKnown whether a machine is within the hops */
  constructor(isKnown: (id: string) => boolean, now: () => number = Date.now) {
    this.#isKnown = isKnown;
    this.#now = now;
  }

  list(): Knock[] {
    return [...this.#knocks.values()].filter(({ id }) => !this.#isKnown(id));
  }

  met(id: string, address: string): void {
    if (this.#isKnown(id)) return;
    const name = this.#knocks.get(id)?.name ?? null;
    this.#knocks.delete(id);
    this.#knocks.set(id, { id, name, address, atMs: this.#now() });
    const [oldest] = this.#knocks.keys();
    if (this.#knocks.size > MAX_KNOCKS && oldest !== undefined) this.#knocks.delete(oldest);
  }

  /** @throws when it is no name */
  named(id: string, said: unknown): void {
    const { name } = z.object({ name: nameSchema }).parse(said);
    const knock = this.#knocks.get(id);
    if (knock !== undefined) this.#knocks.set(id, { ...knock, name });
  }
}

/** Every connection is noted, and every machine is told this one's name. */
export function knockOnConnect(peer: SsbPeer, knocks: Knocks, name: string): void {
  peer.on('rpc:connect', (remote: RemotePeer) => {
    if (remote.id === peer.id) return;
    knocks.met(remote.id, remote.stream.address);
    // A stock peer knows no such method: then it does not know the name either, until it follows.
    remote.ssblog.knock({ name }, () => undefined);
  });
}
