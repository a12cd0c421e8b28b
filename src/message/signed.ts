/** A message as SSB signs and stores it ("classic" format). */
import * as z from 'zod';
import { feedIdSchema } from './content.ts';

export const messageIdSchema = z.string().regex(/^%[A-Za-z0-9+/]{43}=\.sha256$/);

/** `value` of a message: what is signed. Key order matters for the signature, so it is never rebuilt. */
export interface SignedValue {
  readonly previous: string | null;
  readonly author: string;
  readonly sequence: number;
  /** The author's clock: milliseconds since the epoch, may have a fraction. */
  readonly timestamp: number;
  readonly hash: 'sha256';
  /** An object with a `type`, or a string when the content is encrypted. */
  readonly content: unknown;
  readonly signature: string;
}

export interface SignedMessage {
  /** `%….sha256` */
  readonly key: string;
  readonly value: SignedValue;
  /** When this machine received it: milliseconds since the epoch. */
  readonly timestamp: number;
}

/** Checks the shape only, not the signature: the engine has verified that. */
export const signedMessageSchema = z.object({
  key: messageIdSchema,
  value: z.looseObject({
    previous: messageIdSchema.nullable(),
    author: feedIdSchema,
    sequence: z.number().int().min(1),
    timestamp: z.number(),
    hash: z.literal('sha256'),
    content: z.unknown(),
    signature: z.string(),
  }),
  timestamp: z.number(),
});
