/**
 * An entry point, for a thread: says that it is ready, then answers each batch of signature-job.ts with a byte for each
 * signature. It is JavaScript because a thread does not inherit what lets tests and benchmarks load TypeScript.
 */
import { parentPort } from 'node:worker_threads';
import sodium from 'chloride';

const LENGTH_BYTES = 4;
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

/** @param {ArrayBuffer} batch */
function verdicts(batch) {
  const bytes = Buffer.from(batch);
  const isValid = [];
  for (let at = 0; at < bytes.length; ) {
    const signatureAt = at + LENGTH_BYTES;
    const keyAt = signatureAt + SIGNATURE_BYTES;
    const signedAt = keyAt + KEY_BYTES;
    const end = signedAt + bytes.readUInt32LE(at);
    const signature = bytes.subarray(signatureAt, keyAt);
    const publicKey = bytes.subarray(keyAt, signedAt);
    isValid.push(sodium.crypto_sign_verify_detached(signature, bytes.subarray(signedAt, end), publicKey) ? 1 : 0);
    at = end;
  }
  return Uint8Array.from(isValid);
}

parentPort?.on('message', (batch) => parentPort?.postMessage(verdicts(batch)));
parentPort?.postMessage('ready');
