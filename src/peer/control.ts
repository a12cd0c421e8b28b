/** What commands ask of a peer, be it the daemon behind its socket or one in this process. */
import * as z from 'zod';
import type { Content } from '../message/content.ts';
import type { Sink } from '../writer/sink.ts';
import { MAX_USES, type OpenInvite, openInviteSchema } from './invites/book.ts';
import { knockSchema } from './knocks.ts';
import type { RekeyOptions, RekeyResult } from './rekey/options.ts';

export interface Control extends Sink {
  /** Whether the peer is a daemon; if not, it lives in this process and ends with it. */
  readonly isDaemon: boolean;
  write(contents: readonly Content[]): Promise<void>;
  /** Remembers an address and dials it once; `error` says why it could not be reached now. */
  connect(address: string): Promise<DialResult>;
  status(): Promise<PeerStatus>;
  /** Makes a join code. `expiresInMs`: null for one that does not expire. */
  invite(options: InviteOptions): Promise<Invitation>;
  invites(): Promise<OpenInvite[]>;
  /** @returns whether there was such an invite */
  revokeInvite(id: string): Promise<boolean>;
  /**
   * Redeems a join code of this network, now or when the other machine is met.
   * @throws SsblogError what the other machine answered, when it refused
   */
  join(code: string): Promise<JoinResult>;
  /**
   * Makes a new network key and announces it, or ends the time in which the old one is accepted.
   * @throws SsblogError `held` when the own feed must not be written, `usage` when there is nothing to end
   */
  rekey(options: RekeyOptions): Promise<RekeyResult>;
  /** Asks the peer to end. */
  stop(): Promise<void>;
  /** Lets go of the peer: ends the connection, or the peer itself when it is in this process. */
  close(): Promise<void>;
}

export const dialResultSchema = z.object({ connected: z.boolean(), error: z.string().nullable() });
export type DialResult = z.infer<typeof dialResultSchema>;

export const inviteOptionsSchema = z.object({
  uses: z.int().min(1).max(MAX_USES),
  expiresInMs: z.number().positive().nullable(),
});
type InviteOptions = z.infer<typeof inviteOptionsSchema>;

export const invitationSchema = z.object({
  code: z.string(),
  /** What takes it back. */
  id: z.string(),
  /** Where the code says that this machine can be reached. */
  addresses: z.array(z.string()),
});
type Invitation = z.infer<typeof invitationSchema>;
export const openInvitesSchema = z.array(openInviteSchema);

export const joinResultSchema = z.object({
  /** The machine that invited. */
  id: z.string(),
  name: z.string(),
  /** Both follow each other. Else it is waited for. */
  joined: z.boolean(),
  connected: z.boolean(),
  /** Somebody is at its address and refuses the handshake; a daemon of an older version does not say. */
  refused: z.boolean().default(false),
});
export type JoinResult = z.infer<typeof joinResultSchema>;

const waitingSchema = z.object({
  id: z.string(),
  name: z.string(),
  sinceMs: z.number(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});

export const peerStatusSchema = z.object({
  pid: z.number(),
  /** A peer that a command opened for as long as it takes: it gives way to a daemon. */
  temporary: z.boolean(),
  uptimeMs: z.number(),
  /** Addresses that other machines can dial. */
  addresses: z.array(z.string()),
  peers: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      direction: z.enum(['incoming', 'outgoing']),
      /** Since when it is connected: milliseconds since the epoch. */
      sinceMs: z.number(),
      /** Whether everything of its own feed is here, as far as it has told; a daemon of an older version does not say. */
      upToDate: z.boolean().default(false),
      /** How its address is known, where this machine dialled; null where the other one did. */
      via: z.enum(['lan', 'user']).nullable(),
    }),
  ),
  lan: z.object({
    /** The networks on which machines are looked for; none when that is off. */
    links: z.array(z.object({ name: z.string(), address: z.string(), problem: z.string().nullable() })),
    /** Machines with the same network key that are there now; `wanted`: within the hops. */
    found: z.array(
      z.object({ id: z.string(), addresses: z.array(z.string()), sinceMs: z.number(), wanted: z.boolean() }),
    ),
  }),
  replication: z.object({
    /** Messages here, of the feeds that connected peers know too. */
    have: z.number(),
    /** Messages that exist of these feeds, as far as connected machines within the hops know. */
    known: z.number(),
    /** The same for each feed. */
    feeds: z.array(z.object({ id: z.string(), have: z.number(), known: z.number() })),
  }),
  /** Why messages of others are not taken now; a daemon of an older version does not say. */
  paused: z.array(z.object({ id: z.string().nullable(), message: z.string(), hint: z.string() })).default([]),
  /** Why this machine does not write its feed now; null when it does. */
  hold: z.object({ reason: z.string(), message: z.string(), hint: z.string(), sinceMs: z.number() }).nullable(),
  /** Machines that invited this one, and that it has not met since. */
  waiting: z.array(waitingSchema),
  /** Machines that are not followed and came by. */
  knocks: z.array(knockSchema),
});
export type PeerStatus = z.infer<typeof peerStatusSchema>;
export type PeerEntry = PeerStatus['peers'][number];
