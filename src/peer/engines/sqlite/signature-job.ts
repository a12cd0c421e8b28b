/**
 * Signatures to verify, as bytes, so that a thread can do it that knows no messages: one piece of memory for many, each
 * as the length of what was signed, the signature, the author's key, and what was signed.
 */
import sodium from 'chloride';

export const SIGNATURE_BYTES = 64;
export const KEY_BYTES = 32;
const LENGTH_BYTES = 4;

export interface SignatureJob {
  readonly signature: Buffer;
  readonly publicKey: Buffer;
  readonly signed: Buffer;
}

/** @returns whether the owner of the key made the signature: libsodium's word is SSB's law */
export function isValid({ signature, publicKey, signed }: SignatureJob): boolean {
  return sodium.crypto_sign_verify_detached(signature, signed, publicKey);
}

/** @param jobs whose signatures and keys have the lengths that they should have */
export function packJobs(jobs: readonly SignatureJob[]): ArrayBuffer {
  let size = 0;
  for (const { signed } of jobs) size += LENGTH_BYTES + SIGNATURE_BYTES + KEY_BYTES + signed.length;
  const memory = new ArrayBuffer(size);
  const bytes = Buffer.from(memory);
  let end = 0;
  for (const { signature, publicKey, signed } of jobs) {
    end = bytes.writeUInt32LE(signed.length, end);
    for (const part of [signature, publicKey, signed]) {
      bytes.set(part, end);
      end += part.length;
    }
  }
  return memory;
}
