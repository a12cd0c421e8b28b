/**
 * Sends no faster than the other side reads. EBT and streams of messages hand muxrpc all that there is: a peer that
 * asks for much and reads slowly, or not at all, would have it all kept for it in memory.
 */
import type { EbtInstance, EbtPeerState } from './ssb/ebt-types.ts';
import type { Hookable, PullSource, SsbPeer } from './ssb/types.ts';
import type { Traffic } from './traffic.ts';

/** Messages for a machine that does not read; the rest is read from the record again when it does. */
const MAX_WAITING_MESSAGES = 128;

type Pace = Pick<Traffic, 'isFull' | 'onDrained'>;

/** Call before any stream is made. */
export function paceEbt(ebt: EbtInstance, traffic: Pace): void {
  const held = new WeakMap<EbtPeerState, Set<string>>();
  const { update, createStream } = ebt;
  ebt.update = function () {
    for (const id in ebt.state.peers) {
      const peer = ebt.state.peers[id] as EbtPeerState;
      if (traffic.isFull(id)) hold(peer, held);
      else release(ebt, peer, held);
    }
    update.call(this);
  };
  ebt.createStream = function (id, version, isClient) {
    const stream = createStream.call(this, id, version, isClient);
    const { canSend } = stream;
    stream.canSend = function () {
      return !traffic.isFull(id) && canSend.call(this);
    };
    return stream;
  };
  traffic.onDrained((id) => {
    if (ebt.state.peers[id] !== undefined) ebt.update();
  });
}

/** Nothing more is read for it; of what was read only a little is kept. */
function hold(peer: EbtPeerState, held: WeakMap<EbtPeerState, Set<string>>): void {
  const feeds = held.get(peer) ?? new Set();
  held.set(peer, feeds);
  for (const feed of peer.retrive.splice(0)) feeds.add(feed);
  while (peer.msgs.length > MAX_WAITING_MESSAGES) {
    const { author, sequence } = peer.msgs.pop() as EbtPeerState['msgs'][number];
    const state = peer.replicating?.[author];
    if (state === undefined) continue;
    // From the last back to the first: sent is then what comes before the first of them.
    state.sent = Math.min(state.sent ?? sequence, sequence - 1);
    feeds.add(author);
  }
}

function release(ebt: EbtInstance, peer: EbtPeerState, held: WeakMap<EbtPeerState, Set<string>>): void {
  const feeds = held.get(peer);
  if (feeds === undefined) return;
  held.delete(peer);
  for (const feed of feeds) {
    const state = peer.replicating?.[feed];
    if (state?.tx && (state.sent ?? 0) < (ebt.state.clock?.[feed] ?? 0)) peer.retrive.push(feed);
  }
}

/** Streams of messages that other machines ask for begin one after the other, and wait while much waits for the machine. */
export function paceStreams(peer: SsbPeer, traffic: Pace): void {
  const waiting = new Map<string, (() => void)[]>();
  /**
   * One in a turn of the event loop, because each reads a page of messages before it sends any; who came last first,
   * because it may be in the midst of its page.
   */
  const wake = (id: string) => {
    if (traffic.isFull(id)) return;
    const reads = waiting.get(id);
    reads?.pop()?.();
    if (reads?.length) setImmediate(wake, id);
    else waiting.delete(id);
  };
  traffic.onDrained(wake);
  const wait = (id: string, read: () => void) => {
    const reads = waiting.get(id) ?? [];
    waiting.set(id, reads);
    reads.push(read);
    if (reads.length === 1) setImmediate(wake, id);
  };
  const paced = (source: PullSource<unknown>, id: string): PullSource<unknown> => {
    let isBegun = false;
    let isAborted = false;
    return (abort, answer) => {
      if (abort) isAborted = true;
      if (abort || (isBegun && !traffic.isFull(id))) {
        source(abort, answer);
        return;
      }
      isBegun = true;
      wait(id, () => {
        if (isAborted) answer(true);
        else source(null, answer);
      });
    };
  };
  const stream = peer as unknown as { createHistoryStream: Hookable<(...args: unknown[]) => unknown> };
  stream.createHistoryStream.hook(function (original, args) {
    const source = original.apply(this, args) as PullSource<unknown>;
    const { id } = (this ?? {}) as { id?: string };
    return id === undefined || id === peer.id ? source : paced(source, id);
  });
}
