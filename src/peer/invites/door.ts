/** How machines come in: invites given and redeemed, invites received, and who knocks without one. */
import * as z from 'zod';
import type { Config } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import { nameSchema } from '../../config/schema.ts';
import { SsblogError } from '../../errors.ts';
import type { Content } from '../../message/content.ts';
import type { Doorkeeper } from '../api.ts';
import type { Control, PeerStatus } from '../control.ts';
import type { FollowGraph } from '../follow-graph.ts';
import { Knocks, knockOnConnect } from '../knocks.ts';
import type { SsbPeer } from '../ssb/types.ts';
import { reachableAddresses } from './addresses.ts';
import { InviteBook } from './book.ts';
import { decodeJoinCode, encodeJoinCode, SECRET_BYTES } from './code.ts';
import { Joining } from './joining.ts';
import { PendingInvites } from './pending.ts';
import { TryLimit } from './try-limit.ts';

interface DoorOptions {
  readonly peer: SsbPeer;
  readonly graph: FollowGraph;
  readonly config: Config;
  readonly paths: MachinePaths;
  readonly dials: boolean;
  readonly write: (contents: readonly Content[]) => Promise<void>;
  /** Remembers addresses, to be dialled for ever. */
  readonly remember: (addresses: readonly string[]) => Promise<void>;
  readonly notice: (text: string) => void;
}

export interface Door {
  readonly calls: Pick<Control, 'invite' | 'invites' | 'revokeInvite' | 'join'> & Pick<Doorkeeper, 'redeem' | 'knock'>;
  status(): Pick<PeerStatus, 'waiting' | 'knocks'>;
  /** Call when the peer is ready: what a killed process left to do. */
  resume(): void;
  close(): void;
}

const redeemSchema = z.object({
  secret: z
    .string()
    .max(100)
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((bytes) => bytes.length === SECRET_BYTES),
  name: nameSchema,
});

export function openDoor(options: DoorOptions): Door {
  const { peer, graph, config, paths, notice } = options;
  const book = new InviteBook({ file: paths.invites });
  const pending = new PendingInvites(paths.joining);
  const limit = new TryLimit();
  const knocks = new Knocks((id) => graph.isWithinHops(id) || graph.isBlocked(id));
  knockOnConnect(peer, knocks, config.name);
  const follow = async (id: string): Promise<void> => {
    if (graph.isFollowed(id)) return;
    await options.write([{ type: 'contact', contact: id, following: true, blocking: false }]);
  };
  const joining = new Joining({ ...options, pending, name: config.name, follow });

  const redeem = async (remote: string, said: unknown): Promise<void> => {
    if (remote === peer.id) throw new SsblogError('usage', 'a machine cannot redeem its own invite');
    limit.check(remote);
    const { secret, name } = redeemSchema.parse(said);
    let use: { isFollowed: boolean };
    try {
      use = book.use(secret, { id: remote, name });
    } catch (error) {
      limit.failed(remote);
      throw error;
    }
    knocks.named(remote, { name });
    if (use.isFollowed) return;
    await follow(remote);
    book.followed(secret, remote);
    notice(`${name} redeemed an invite: it is followed now`);
  };

  return {
    calls: {
      invite: async ({ uses, expiresInMs }) => {
        const { id, secret } = book.add(uses, expiresInMs);
        const addresses = reachableAddresses(config);
        const { networkKey, name } = config;
        return { id, addresses, code: encodeJoinCode({ networkKey, id: peer.id, name, secret, addresses }) };
      },
      invites: async () => book.list(),
      revokeInvite: async (id) => book.revoke(id),
      join: async (text) => {
        const code = decodeJoinCode(text);
        checkCode(code, { id: peer.id, networkKey: config.networkKey });
        return joining.join(code, Date.now());
      },
      redeem,
      knock: (remote, who) => knocks.named(remote, who),
    },
    status: () => ({ waiting: pending.waiting(), knocks: knocks.list() }),
    resume: () => {
      joining.resume().catch((error: Error) => notice(`joining: ${error.message}`));
    },
    close: () => joining.close(),
  };
}

/** @throws SsblogError `usage` for this machine's own code, `other-network` for one of another network */
export function checkCode(
  code: { readonly id: string; readonly networkKey: string },
  machine: { readonly id: string; readonly networkKey: string },
): void {
  if (code.id === machine.id) {
    throw new SsblogError('usage', 'that is a join code of this machine itself', {
      hint: 'give it to another machine: ssblog join CODE',
    });
  }
  if (code.networkKey === machine.networkKey) return;
  throw new SsblogError('other-network', 'this machine belongs to another network than the join code', {
    hint: 'make a second machine for it: --path DIR --port P',
  });
}
