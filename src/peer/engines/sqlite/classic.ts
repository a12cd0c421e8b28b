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
  return `%${hash('sha256', Buffer.from(text, 'latin1'), 'base64')}.sha256`;
}

/**
 * @param text the unsigned message, encoded
 * @param hmacKey 32 bytes that a network may mix into its signatures; undefined in most
 */
export function sign(unsigned: UnsignedValue, text: string, keys: Identity, hmacKey?: Buffer): Encoded {
  const bytes = sodium.crypto_sign_detached(signedBytes(text, hmacKey), keyBytes(keys.private));
  const signature = `${bytes.toString('base64')}.sig.ed25519`;
  return { text: `${text.slice(0, -2)}${signatureText(signature)}`, value: { ...unsigned, signature } };
}

/**
 * What there is to verify of a message.
 * @param text the encoded message; its signature must have been found well-formed and the last of its fields
 */
export function signatureJob(text: string, { author, signature }: SignedValue, hmacKey?: Buffer): SignatureJob {
  const unsigned = `${text.slice(0, -signatureText(signature).length)}\n}`;
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
function keyBytes(text: string): Buffer {
  return Buffer.from(text.slice(0, text.indexOf('.')), 'base64');
}
