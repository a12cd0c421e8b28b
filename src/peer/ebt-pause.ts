/**
 * Lets others know that messages of a feed are not wanted for now, in EBT's own words: a note that says how far the
 * feed is here, and that nothing more is to be sent. They go on telling how far it is there. What comes all the same
 * is to be dropped before it is stored.
 */
import { getReceive, getSequence, note } from 'epidemic-broadcast-trees/v3.js';
import type { EbtInstance, EbtPeerState } from './ssb/ebt-types.ts';

export interface Pauses {
  readonly isAnyPaused: boolean;
  isPaused(feed: string): boolean;
}

/** @returns to be called when other feeds are paused than before */
export function pauseFeeds(ebt: EbtInstance, pauses: Pauses): () => void {
  /** By peer, what it was told not to send. */
  const declined = new WeakMap<EbtPeerState, Set<string>>();
  const declinedBy = (peer: EbtPeerState) => {
    const feeds = declined.get(peer) ?? new Set();
    declined.set(peer, feeds);
    return feeds;
  };

  const { update } = ebt;
  ebt.update = function () {
    if (pauses.isAnyPaused) {
      for (const id in ebt.state.peers) decline(ebt.state.peers[id] as EbtPeerState);
    }
    update.call(this);
  };

  /** EBT asks whoever is ahead: a note that asks says no instead, and whoever was told so is not told again. */
  const decline = (peer: EbtPeerState) => {
    if (peer.notes === null || peer.replicating === null) return;
    const feeds = declinedBy(peer);
    let isShortened = false;
    for (const [feed, encoded] of Object.entries(peer.notes)) {
      if (encoded === -1 || !getReceive(encoded) || !pauses.isPaused(feed)) continue;
      const state = peer.replicating[feed];
      if (state !== undefined) state.rx = false;
      if (feeds.has(feed)) {
        delete peer.notes[feed];
        isShortened = true;
      } else {
        peer.notes[feed] = note(getSequence(encoded), false);
        feeds.add(feed);
      }
    }
    if (isShortened && Object.keys(peer.notes).length === 0) peer.notes = null;
  };

  const begin = (peer: EbtPeerState) => {
    for (const [feed, state] of Object.entries(peer.replicating ?? {})) {
      if (!state.rx || !pauses.isPaused(feed)) continue;
      state.rx = false;
      peer.notes = { ...peer.notes, [feed]: note(ebt.state.clock?.[feed] ?? 0, false) };
      declinedBy(peer).add(feed);
    }
  };

  /** Of those that have more of a feed, the one that has most is asked. */
  const goOn = () => {
    const best = new Map<string, EbtPeerState>();
    for (const peer of Object.values(ebt.state.peers)) {
      for (const feed of declined.get(peer) ?? []) {
        if (pauses.isPaused(feed)) continue;
        declined.get(peer)?.delete(feed);
        const has = peer.clock?.[feed] ?? 0;
        if (has > (best.get(feed)?.clock?.[feed] ?? ebt.state.clock?.[feed] ?? 0)) best.set(feed, peer);
      }
    }
    for (const [feed, peer] of best) {
      const state = peer.replicating?.[feed];
      if (state === undefined || !ebt.state.follows[feed]) continue;
      const have = ebt.state.clock?.[feed] ?? 0;
      Object.assign(state, { rx: true, requested: have });
      peer.notes = { ...peer.notes, [feed]: note(have, true) };
    }
  };

  return () => {
    for (const peer of Object.values(ebt.state.peers)) begin(peer);
    goOn();
    ebt.update();
  };
}
