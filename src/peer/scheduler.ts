/**
 * Dials the addresses that the user named and the machines on the LAN, for ever, with growing pauses. It stands in for
 * ssb-conn's own scheduler, which never dials a peer outside the hops, nor on loopback, and prunes beyond eight peers.
 */
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

const TICK_MS = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** An address that does not answer for so long does not keep a machine's other ones from being tried. */
const DIAL_PATIENCE_MS = 10_000;
/**
 * A connection that ends sooner counts as a failure: whoever hangs up at once is not dialled every second. Who stayed
 * longer, and was killed or restarted, is.
 */
const SHORT_LIFE_MS = 500;
/** Time that is missing between two ticks: the computer slept, or its clock was set. */
const JUMP_MS = 10_000;

/** How an address came to be known: found on the LAN, or named by the user. */
type Via = 'lan' | 'user';

export interface Scheduler {
  /** Looks for whom to dial now, for instance because somebody was found. */
  look(): void;
  /** Forgets all pauses and tries everybody: the network is another one. */
  retry(): void;
  /** Milliseconds since the machine was last dialled, if that is under way or came through; else undefined. */
  outgoingMs(feed: string): number | undefined;
  /** How the address that was last dialled of the machine is known. */
  via(feed: string): Via | undefined;
  close(): void;
}

export interface SchedulerOptions {
  /** Machines on the LAN. */
  readonly found?: () => readonly { readonly id: string; readonly addresses: readonly string[] }[];
  /** Whether this machine wants to meet one that was found. */
  readonly wants?: (feed: string) => boolean;
  readonly now?: () => number;
  readonly random?: () => number;
}

interface Attempt {
  failures: number;
  notBeforeMs: number;
  isUnderWay: boolean;
}

interface Dial {
  readonly startedMs: number;
  readonly via: Via;
  state: 'under way' | 'connected' | 'over';
}

/** The feed id in a multiserver address (`…~shs:KEY`), or undefined. */
export function addressFeed(address: string): string | undefined {
  const key = /~shs:([A-Za-z0-9+/]{43}=)/.exec(address)?.[1];
  return key === undefined ? undefined : `@${key}.ed25519`;
}

export function startScheduler(
  peer: SsbPeer,
  { found = () => [], wants = () => false, now = Date.now, random = Math.random }: SchedulerOptions = {},
): Scheduler {
  const attempts = new Map<string, Attempt>();
  /** The last dial of each machine. */
  const dials = new Map<string, Dial>();
  let closed = false;
  let lastTickMs = now();

  const look = () => {
    if (closed) return;
    const known = knownAddresses(peer, found(), wants);
    for (const [address, { isUnderWay }] of attempts) {
      if (!isUnderWay && !known.get(addressFeed(address) ?? '')?.has(address)) attempts.delete(address);
    }
    for (const [feed, addresses] of known) {
      if (isConnected(peer, feed) || isDialling(feed)) continue;
      // One at a time, the one with the fewest failures first.
      const [next] = [...addresses]
        .map(([address, via]) => ({ address, via, attempt: attempts.get(address) }))
        .filter(({ attempt }) => attempt === undefined || (!attempt.isUnderWay && attempt.notBeforeMs <= now()))
        .sort((a, b) => (a.attempt?.failures ?? 0) - (b.attempt?.failures ?? 0));
      if (next !== undefined) dial(feed, next.address, next.via);
    }
  };

  const dial = (feed: string, address: string, via: Via) => {
    const attempt = attempts.get(address) ?? { failures: 0, notBeforeMs: 0, isUnderWay: false };
    const mine: Dial = { startedMs: now(), via, state: 'under way' };
    attempts.set(address, attempt);
    dials.set(feed, mine);
    attempt.isUnderWay = true;
    peer.conn.connect(address, (error, remote) => {
      attempt.isUnderWay = false;
      const connectedMs = now();
      mine.state = 'connected';
      const end = (isFailure: boolean) => {
        mine.state = 'over';
        attempt.failures = isFailure ? attempt.failures + 1 : 0;
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt.failures, LONGEST_PAUSE_MS);
        // Jitter keeps machines that lost each other at one moment from dialling in step for ever.
        attempt.notBeforeMs = now() + pause * (0.75 + random() / 2);
      };
      if (error || (remote as RemotePeer).closed) end(true);
      else (remote as RemotePeer).once('closed', () => end(now() - connectedMs < SHORT_LIFE_MS));
    });
  };

  const outgoingMs = (feed: string) => {
    const last = dials.get(feed);
    return last === undefined || last.state === 'over' ? undefined : now() - last.startedMs;
  };

  const isDialling = (feed: string) =>
    dials.get(feed)?.state === 'under way' && (outgoingMs(feed) ?? 0) < DIAL_PATIENCE_MS;

  const retry = () => {
    for (const attempt of attempts.values()) Object.assign(attempt, { failures: 0, notBeforeMs: 0 });
    look();
  };

  const tick = () => {
    const passedMs = now() - lastTickMs;
    lastTickMs = now();
    if (Math.abs(passedMs - TICK_MS) > JUMP_MS) retry();
    else look();
  };

  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  look();
  return {
    look,
    retry,
    outgoingMs,
    via: (feed) => dials.get(feed)?.via,
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

/** Whom to be connected with, and where each may be: what is on the LAN first. */
function knownAddresses(
  peer: SsbPeer,
  found: readonly { readonly id: string; readonly addresses: readonly string[] }[],
  wants: (feed: string) => boolean,
): Map<string, Map<string, Via>> {
  const known = new Map<string, Map<string, Via>>();
  const add = (feed: string, address: string, via: Via) => {
    const addresses = known.get(feed) ?? new Map<string, Via>();
    known.set(feed, addresses);
    if (!addresses.has(address)) addresses.set(address, via);
  };
  for (const { id, addresses } of found) if (wants(id)) for (const address of addresses) add(id, address, 'lan');
  for (const [address] of peer.conn.dbPeers()) {
    const feed = addressFeed(address);
    if (feed !== undefined && feed !== peer.id) add(feed, address, 'user');
  }
  return known;
}

/** Of ssb-conn's entries one goes when either of two connections with a machine ends; these are the connections. */
function isConnected(peer: SsbPeer, feed: string): boolean {
  return (peer.peers[feed] ?? []).some((remote) => !remote.closed);
}
