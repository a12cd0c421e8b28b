/** Who may call what: remote peers only what replication needs, this machine's own key everything. */
import type { SsbPeer, StackBuilder } from './ssb/types.ts';

/** What replication needs. */
export const REPLICATION_METHODS: readonly string[] = [
  'ssblog.have',
  'createHistoryStream',
  'ebt.replicate',
  'conn.ping',
  'gossip.ping',
  'ssblog.instance',
  'ssblog.hasTwin',
];

/** What a machine may call that is not followed, whatever `access` says. */
const STRANGER_METHODS: readonly string[] = ['manifest', 'ssblog.knock', 'ssblog.redeem'];

/** All that another machine may call, whatever plugins say of themselves. */
const REMOTE_METHODS: readonly string[] = [...STRANGER_METHODS, ...REPLICATION_METHODS];

/** Call after the last `use`: plugins add to this list as they are loaded. */
export function restrictRemote(stack: StackBuilder): void {
  stack.permissions.anonymous = { allow: [...REMOTE_METHODS], deny: null };
}

/** The stock command line comes in over TCP with this machine's own secret: it is its owner. */
export function allowOwner(peer: SsbPeer): void {
  peer.auth.hook(function (original, args) {
    const [id, callback] = args as [string, (error: null, permissions?: object) => void];
    if (id === peer.id) callback(null, { allow: null, deny: null });
    else original.apply(this, args as Parameters<typeof original>);
  });
}
