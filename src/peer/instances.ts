/**
 * Tells a machine from a copy of it while both are on the network. Every process that speaks for a machine has a
 * random number, its instance; where one identity has two connections at once whose instances differ, there are two
 * of it, before either has written anything. Machines ask each other, for a copy never meets the other one: both
 * would be "this machine". Stock peers do not know the question, and are taken for one.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { promised } from './pull.ts';
import type { Callback, RemotePeer, SsbPeer } from './ssb/types.ts';

/** A connection that does not answer for so long is not counted: what is left of a machine that lost its network. */
const ANSWER_MS = 1_500;

const INSTANCE_BYTES = 12;

const instanceSchema = z.string().max(100);

interface Seen {
  readonly open: Set<RemotePeer>;
  hasTwins: boolean;
  /** Settled when the connections that are there have been compared. */
  looking: Promise<void>;
}

export class Instances {
  /** This process, as it is called when somebody asks. */
  readonly own = randomBytes(INSTANCE_BYTES).toString('base64url');
  /** By id, while it has connections. */
  readonly #seen = new Map<string, Seen>();

  /**
   * Looks at every connection from now on.
   * @param notice called once when two processes of one identity are found, while either is connected
   */
  watch(peer: SsbPeer, notice: (id: string, addresses: readonly string[]) => void): void {
    peer.on('rpc:connect', (remote) => {
      if (remote.id === peer.id) return;
      const seen = this.#seen.get(remote.id) ?? { open: new Set(), hasTwins: false, looking: Promise.resolve() };
      this.#seen.set(remote.id, seen);
      if (seen.open.size > 0) seen.looking = this.#look([...seen.open, remote], seen, notice);
      seen.open.add(remote);
      remote.once('closed', () => {
        seen.open.delete(remote);
        if (seen.open.size === 0 && this.#seen.get(remote.id) === seen) this.#seen.delete(remote.id);
      });
    });
  }

  /** Resolves when it is known whether the connections of a machine are all of one process. */
  async settled(id: string): Promise<void> {
    await this.#seen.get(id)?.looking;
  }

  /** Whether two processes speak for this machine at once; what a machine hears that asks it of itself. */
  async hasTwins(id: string): Promise<boolean> {
    await this.settled(id);
    return this.#seen.get(id)?.hasTwins ?? false;
  }

  async #look(
    connections: readonly RemotePeer[],
    seen: Seen,
    notice: (id: string, addresses: readonly string[]) => void,
  ): Promise<void> {
    const answers = await Promise.all(connections.map((remote) => instanceOf(remote)));
    const instances = new Set(answers.filter((instance) => instance !== undefined));
    if (instances.size < 2 || seen.hasTwins) return;
    seen.hasTwins = true;
    const [first] = connections;
    if (first !== undefined)
      notice(
        first.id,
        connections.map(({ stream }) => stream.address),
      );
  }
}

/** @returns undefined when it does not say: a stock peer, or a connection that has ended without saying so */
async function instanceOf(remote: RemotePeer): Promise<string | undefined> {
  const answer = await answerOf((callback) => remote.ssblog.instance(callback), ANSWER_MS);
  return instanceSchema.safeParse(answer).data;
}

/** Asks a connected machine whether it sees another one of this identity; false when it cannot say. */
export async function seesTwin(remote: RemotePeer): Promise<boolean> {
  return (await answerOf((callback) => remote.ssblog.hasTwin(callback), 2 * ANSWER_MS)) === true;
}

async function answerOf(ask: (callback: Callback) => void, withinMs: number): Promise<unknown> {
  const late = delay(withinMs, undefined, { ref: false });
  // Stock peers have no such method, and a connection may end: neither is news of a twin.
  return Promise.race([promised(ask).catch(() => undefined), late]);
}
