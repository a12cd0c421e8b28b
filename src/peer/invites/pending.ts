/** The invites that this machine was given and that are not redeemed yet, in `joining.json`. */
import * as z from 'zod';
import { readKept, writeKept } from '../../config/kept-file.ts';
import { SsblogError } from '../../errors.ts';
import { feedIdSchema } from '../../message/content.ts';

const MAX_PENDING = 20;

const pendingSchema = z.object({
  /** The machine that invited this one. */
  id: feedIdSchema,
  name: z.string().max(200),
  /** In base64. */
  secret: z.string().max(100),
  sinceMs: z.number(),
  /** What that machine answered when it refused the invite for good. */
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Kept for its name alone, until the machine's own feed tells one. */
  isRedeemed: z.literal(true).optional(),
});
type Pending = z.infer<typeof pendingSchema>;
const fileSchema = z.array(pendingSchema).max(MAX_PENDING);

/** What `status` says of it. */
export interface Waiting {
  readonly id: string;
  readonly name: string;
  readonly sinceMs: number;
  /** Why it does not wait any more: null while it does. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

function read(file: string): readonly Pending[] {
  return readKept(file, fileSchema, { empty: [], damaged: 'remove it, and join again' });
}

/** Without a peer. */
export function readWaiting(file: string): Waiting[] {
  return read(file).filter(isOpen).map(waitingOf);
}

/** What machines were called in the join codes that they gave: id → name. */
export function readInviterNames(file: string): Map<string, string> {
  return new Map(read(file).map(({ id, name }) => [id, name]));
}

export class PendingInvites {
  readonly #file: string;
  #pending: readonly Pending[];

  constructor(file: string) {
    this.#file = file;
    this.#pending = read(file);
  }

  waiting(): Waiting[] {
    return this.#pending.filter(isOpen).map(waitingOf);
  }

  /** The one that is still to be redeemed there. */
  open(id: string): { secret: string; name: string } | undefined {
    return this.#pending.find((pending) => pending.id === id && isOpen(pending) && pending.failure === undefined);
  }

  /** Replaces what was there of the same machine. @throws SsblogError `usage` when it waits for too many */
  add(pending: { id: string; name: string; secret: string; sinceMs: number }): void {
    const others = this.#pending.filter(({ id }) => id !== pending.id);
    const isWaitedFor = (other: Pending) => isOpen(other) && other.failure === undefined;
    const kept = others.length < MAX_PENDING ? others : others.filter(isWaitedFor);
    if (kept.length >= MAX_PENDING) {
      throw new SsblogError('usage', `this machine waits for ${kept.length} others already`, {
        hint: 'see: ssblog status',
      });
    }
    this.#write([...kept, pending]);
  }

  redeemed(id: string): void {
    this.#write(
      this.#pending.map((pending) =>
        pending.id === id ? { ...pending, secret: '', isRedeemed: true as const } : pending,
      ),
    );
  }

  failed(id: string, failure: { code: string; message: string }): void {
    this.#write(this.#pending.map((pending) => (pending.id === id ? { ...pending, failure } : pending)));
  }

  #write(pending: readonly Pending[]): void {
    writeKept(this.#file, pending);
    this.#pending = pending;
  }
}

function isOpen({ isRedeemed }: Pending): boolean {
  return isRedeemed !== true;
}

function waitingOf({ id, name, sinceMs, failure }: Pending): Waiting {
  return { id, name, sinceMs, failure: failure ?? null };
}
