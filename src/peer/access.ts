/**
 * Whom this machine speaks with: nobody whom it blocks; with `access: followed`, others than those within its hops may
 * only say who they are and redeem an invite. Both hold on connections that are open already.
 */
import type { Access } from '../config/keys.ts';
import type { FollowGraph } from './follow-graph.ts';
import { REPLICATION_METHODS } from './permissions.ts';
import { addressFeed } from './scheduler.ts';
import type { Callback, Hookable, RemotePeer, SsbPeer } from './ssb/types.ts';

/** A machine that was just let in hears that first, and then comes in again. */
const REOPEN_MS = 500;

/** @returns a function that ends it */
export function applyAccess(peer: SsbPeer, graph: FollowGraph, access: Access): () => void {
  const mayReplicate = (id: string) => id === peer.id || access === 'members' || graph.isWithinHops(id);
  for (const path of REPLICATION_METHODS) {
    methodAt(peer, path)?.hook(function (original, args) {
      const { id } = (this ?? {}) as { id?: string };
      // Without an id it is called in this process.
      if (id !== undefined && !mayReplicate(id)) throw new Error(`${path} is for machines that are followed here`);
      return original.apply(this, args);
    });
  }
  peer.conn.connect.hook(function (original, args) {
    const feed = addressFeed(String(args[0]));
    if (feed === undefined || !graph.isBlocked(feed)) return original.apply(this, args as Parameters<typeof original>);
    const callback = args.find((arg): arg is Callback => typeof arg === 'function');
    callback?.(new Error('this machine blocks it'));
    return undefined;
  });
  peer.on('rpc:connect', (remote) => {
    if (graph.isBlocked(remote.id)) hangUp(remote);
  });
  return watchChanges(peer, graph, mayReplicate);
}

function watchChanges(peer: SsbPeer, graph: FollowGraph, mayReplicate: (id: string) => boolean): () => void {
  const allowed = new WeakMap<RemotePeer, boolean>();
  const timers = new Set<NodeJS.Timeout>();
  peer.on('rpc:connect', (remote) => allowed.set(remote, mayReplicate(remote.id)));
  const look = () => {
    for (const remote of Object.values(peer.peers).flat()) {
      const isAllowed = mayReplicate(remote.id);
      if (graph.isBlocked(remote.id)) hangUp(remote);
      else if (allowed.get(remote) === isAllowed) continue;
      else if (!isAllowed) hangUp(remote);
      else {
        allowed.set(remote, isAllowed);
        const timer = setTimeout(() => {
          timers.delete(timer);
          hangUp(remote);
        }, REOPEN_MS);
        timers.add(timer);
      }
    }
  };
  const stop = graph.onChange(look);
  return () => {
    stop();
    for (const timer of timers) clearTimeout(timer);
  };
}

function methodAt(peer: SsbPeer, path: string): Hookable<(...args: unknown[]) => unknown> | undefined {
  const method = path.split('.').reduce((part, name) => (part as Record<string, unknown>)?.[name], peer as unknown);
  return method as Hookable<(...args: unknown[]) => unknown> | undefined;
}

function hangUp(remote: RemotePeer): void {
  remote.close(true, () => undefined);
}
