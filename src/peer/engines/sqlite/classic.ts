/**
 * SSB's classic message format: how a message is encoded, signed, hashed and verified. The bytes are those of
 * ssb-keys 7 and ssb-validate 4; Node's SHA-256 is four times faster than libsodium's, its encoding is made once.
 */
import { createHmac, hash } from 'node:crypto';
import sodium from 'chloride';
import type { Identity } from '../../../config/identity.ts';
import type { SignedValue } from '../../../message/signed.ts';
import type { SignatureJob } from './signature-job.ts';

/** What is signed, before it is. */
export type UnsignedValue = Omit<SignedValue, 'signature'>;

/** crypto_auth is HMAC-SHA-512, cut to this many bytes. */
const HMAC_BYTES = 32;

export interface Encoded {
  /** What SSB hashes, and whose length in UTF-16 units it limits. */
  readonly text: string;
  readonly value: SignedValue;
}

/** `JSON.stringify(value, null, 2)`: these characters are the format. */
export function encode(value: object): string {
  return JSON.stringify(value, null, 2);
}

/** `%….sha256`. SSB hashes the low byte of each UTF-16 unit, not UTF-8. */
export function messageId(text: string): string {
  return idOf(hash('sha256', Buffer.from(text, 'latin1'), 'base64'));
}

/** @param digest in base64 */
export function idOf(digest: string): string {
  return `%${digest}.sha256`;
}

/** As long as every id: stands in the place of one that is not known yet. */
export const SOME_ID = idOf(Buffer.alloc(32).toString('base64'));

/**
 * @param text the unsigned message, encoded
 * @param hmacKey 32 bytes that a network may mix into its signatures; undefined in most
 */
export function sign(unsigned: UnsignedValue, text: string, keys: Identity, hmacKey?: Buffer): Encoded {
  const bytes = sodium.crypto_sign_detached(signedBytes(text, hmacKey), keyBytes(keys.private));
  const signature = signatureOf(bytes.toString('base64'));
  return { text: `${text.slice(0, -END.length)}${signatureText(signature)}`, value: { ...unsigned, signature } };
}

/** @param bytes in base64 */
export function signatureOf(bytes: string): string {
  return `${bytes}.sig.ed25519`;
}

/** How an encoded message ends that is not signed. */
const END = '\n}';

/** Where in an encoded message things are, for what signs it as bytes. */
export interface Layout {
  /** Where the id of the message before begins. */
  readonly previousAt: number;
  /** So much of the unsigned message's end comes off ... */
  readonly cutUnits: number;
  /** ... for this, with the signature in base64 in its middle. */
  readonly tail: readonly [before: string, after: string];
  /** By how much it is longer then. */
  readonly extraUnits: number;
  /** An id, with the hash in base64 in its middle. */
  readonly id: readonly [before: string, after: string];
}

/** Base64 of a signature's 64 bytes. */
export const SIGNATURE_UNITS = 88;

export const SIGNED_LAYOUT: Layout = {
  previousAt: encode({ previous: '' }).indexOf('""') + 1,
  cutUnits: END.length,
  tail: around(signatureText(signatureOf('|'))),
  extraUnits: signatureText(signatureOf('')).length + SIGNATURE_UNITS - END.length,
  id: around(idOf('|')),
};

function around(text: string): [string, string] {
  return text.split('|') as [string, string];
}

/**
 * What there is to verify of a message.
 * @param text the encoded message; its signature must have been found well-formed and the last of its fields
 */
export function signatureJob(text: string, { author, signature }: SignedValue, hmacKey?: Buffer): SignatureJob {
  const unsigned = `${text.slice(0, -signatureText(signature).length)}${END}`;
  return {
    signature: keyBytes(signature),
    publicKey: keyBytes(author.slice(1)),
    signed: signedBytes(unsigned, hmacKey),
  };
}

/** How an encoded message ends. */
function signatureText(signature: string): string {
  return `,\n  "signature": "${signature}"\n}`;
}

function signedBytes(text: string, hmacKey: Buffer | undefined): Buffer {
  const bytes = Buffer.from(text);
  if (hmacKey === undefined) return bytes;
  return createHmac('sha512', hmacKey).update(bytes).digest().subarray(0, HMAC_BYTES);
}

/** The bytes before the first dot of `base64.ed25519` and the like. */
export function keyBytes(text: string): Buffer {
  return Buffer.from(text.slice(0, text.indexOf('.')), 'base64');
}
