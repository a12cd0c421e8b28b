/**
 * The invites that this machine gave, in `invites.json`. Of an invite's secret only the hash is kept: who reads the
 * file cannot use it. Every use is on the disk before it is answered, and belongs to the machine that used it, so that
 * one whose answer was lost can ask again.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { readKept, writeKept } from '../../config/kept-file.ts';
import { SsblogError } from '../../errors.ts';
import { feedIdSchema } from '../../message/content.ts';
import { SECRET_BYTES } from './code.ts';

export const MAX_USES = 1_000;
const MAX_OPEN = 100;
/** Invites that are over are kept to say so, the newest ones. */
const MAX_OVER = 100;
const ID_LENGTH = 8;

const inviteSchema = z.object({
  /** SHA-256 of the secret, in hexadecimal. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  uses: z.int().min(1).max(MAX_USES),
  createdMs: z.number(),
  /** null: it does not expire. */
  expiresMs: z.number().nullable(),
  usedBy: z.array(z.object({ id: feedIdSchema, name: z.string().max(200), isFollowed: z.boolean() })).max(MAX_USES),
});
type Invite = z.infer<typeof inviteSchema>;
const bookSchema = z.array(inviteSchema).max(MAX_OPEN + MAX_OVER);

export const openInviteSchema = z.object({
  /** What `--revoke` takes. */
  id: z.string(),
  createdMs: z.number(),
  expiresMs: z.number().nullable(),
  usesLeft: z.number(),
  usedBy: z.array(z.string()),
});
export type OpenInvite = z.infer<typeof openInviteSchema>;

function read(file: string): readonly Invite[] {
  return readKept(file, bookSchema, { empty: [], damaged: 'remove it, and invite again' });
}

/** What machines called themselves when they redeemed an invite: id → name. */
export function readInvitedNames(file: string): Map<string, string> {
  const uses = read(file).flatMap(({ usedBy }) => usedBy);
  return new Map(uses.map(({ id, name }) => [id, name]));
}

interface InviteBookOptions {
  readonly file: string;
  readonly now?: () => number;
}

export class InviteBook {
  readonly #file: string;
  readonly #now: () => number;
  #invites: readonly Invite[];

  constructor({ file, now = Date.now }: InviteBookOptions) {
    this.#file = file;
    this.#now = now;
    this.#invites = read(file);
  }

  /**
   * @param expiresInMs null: never
   * @returns the secret, which is nowhere else
   * @throws SsblogError `usage` when too many are open
   */
  add(uses: number, expiresInMs: number | null): { id: string; secret: Buffer } {
    if (this.#invites.filter((invite) => this.#isOpen(invite)).length >= MAX_OPEN) {
      throw new SsblogError('usage', `${MAX_OPEN} invites are open already`, {
        hint: 'take some back: ssblog invite --list, and --revoke ID',
      });
    }
    const secret = randomBytes(SECRET_BYTES);
    const createdMs = this.#now();
    const expiresMs = expiresInMs === null ? null : createdMs + expiresInMs;
    const invite: Invite = { hash: hashOf(secret), uses, createdMs, expiresMs, usedBy: [] };
    const over = this.#invites.filter((other) => !this.#isOpen(other)).slice(-MAX_OVER);
    this.#write([...over, ...this.#invites.filter((other) => this.#isOpen(other)), invite]);
    return { id: idOf(invite), secret };
  }

  list(): OpenInvite[] {
    const open = this.#invites.filter((invite) => this.#isOpen(invite));
    return open.map((invite) => ({
      id: idOf(invite),
      createdMs: invite.createdMs,
      expiresMs: invite.expiresMs,
      usesLeft: invite.uses - invite.usedBy.length,
      usedBy: invite.usedBy.map(({ id }) => id),
    }));
  }

  /** @returns whether there was one of that id */
  revoke(id: string): boolean {
    const rest = this.#invites.filter((invite) => idOf(invite) !== id);
    if (rest.length === this.#invites.length) return false;
    this.#write(rest);
    return true;
  }

  /**
   * Counts a use by a machine, once however often it asks.
   * @returns whether the machine is still to be followed for it
   * @throws SsblogError `invite-unknown`, `invite-used`, `invite-expired`
   */
  use(secret: Buffer, machine: { readonly id: string; readonly name: string }): { isFollowed: boolean } {
    const invite = this.#find(secret);
    if (invite === undefined) {
      throw new SsblogError('invite-unknown', 'the invite is not known there: it was taken back, or never given');
    }
    const earlier = invite.usedBy.find(({ id }) => id === machine.id);
    if (earlier !== undefined) return earlier;
    if (invite.expiresMs !== null && invite.expiresMs <= this.#now()) {
      throw new SsblogError('invite-expired', `the invite expired ${new Date(invite.expiresMs).toISOString()}`);
    }
    if (invite.usedBy.length >= invite.uses) {
      throw new SsblogError('invite-used', 'the invite has been used up by other machines');
    }
    this.#replace(invite, [...invite.usedBy, { ...machine, isFollowed: false }]);
    return { isFollowed: false };
  }

  /** The machine is followed: asked again, it is not followed anew, for it may have been unfollowed since. */
  followed(secret: Buffer, machine: string): void {
    const invite = this.#find(secret);
    if (invite === undefined) return; // taken back meanwhile
    this.#replace(
      invite,
      invite.usedBy.map((use) => (use.id === machine ? { ...use, isFollowed: true } : use)),
    );
  }

  /** Looks at all of them, and takes as long for each: how long it takes tells nothing. */
  #find(secret: Buffer): Invite | undefined {
    const hash = Buffer.from(hashOf(secret), 'hex');
    let found: Invite | undefined;
    for (const invite of this.#invites) if (timingSafeEqual(Buffer.from(invite.hash, 'hex'), hash)) found = invite;
    return found;
  }

  #isOpen({ uses, usedBy, expiresMs }: Invite): boolean {
    return usedBy.length < uses && (expiresMs === null || expiresMs > this.#now());
  }

  #replace(invite: Invite, usedBy: Invite['usedBy']): void {
    this.#write(this.#invites.map((other) => (other === invite ? { ...invite, usedBy } : other)));
  }

  #write(invites: readonly Invite[]): void {
    writeKept(this.#file, invites);
    this.#invites = invites;
  }
}

function hashOf(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('hex');
}

function idOf({ hash }: Invite): string {
  return hash.slice(0, ID_LENGTH);
}
