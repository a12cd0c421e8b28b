/**
 * An entry point, for a thread: says that it is ready, then answers each batch of signature-job.ts with a byte for each
 * signature, and does each job of signing-job.ts, in the memory that it shares. It is JavaScript because a thread does
 * not inherit what lets tests and benchmarks load TypeScript.
 */
import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import sodium from 'chloride';

const LENGTH_BYTES = 4;
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;
const COUNT_BYTES = 4;
const ANSWER_BYTES = SIGNATURE_BYTES + 32;

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

/** Of the message that was signed last. */
let id = '';

/** @param {import('./signing-job.ts').SigningJob} job */
function signAll({ texts, answers, secretKey, goesOn, layout }) {
  if (goesOn && id === '') throw new Error('there is nothing that goes on');
  const bytes = Buffer.from(texts);
  const key = Buffer.from(secretKey);
  const count = new Int32Array(answers, 0, 1);
  const results = Buffer.from(answers, COUNT_BYTES);
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const start = at + LENGTH_BYTES;
    const end = start + bytes.readUInt32LE(at);
    const text = bytes.subarray(start, end);
    at = end + layout.extraUnits;
    if (index > 0 || goesOn) text.write(id, layout.previousAt, 'latin1');
    const signature = sodium.crypto_sign_detached(text, key);
    const tail = layout.tail[0] + signature.toString('base64') + layout.tail[1];
    bytes.write(tail, end - layout.cutUnits, 'latin1');
    const digest = hash('sha256', hashedBytes(bytes.subarray(start, at)), 'buffer');
    id = layout.id[0] + digest.toString('base64') + layout.id[1];
    results.set(signature, index * ANSWER_BYTES);
    results.set(digest, index * ANSWER_BYTES + SIGNATURE_BYTES);
    Atomics.store(count, 0, index + 1);
    Atomics.notify(count, 0);
  }
}

/**
 * SSB hashes the low byte of each UTF-16 unit.
 * @param {Buffer} message
 */
function hashedBytes(message) {
  return isAscii(message) ? message : Buffer.from(message.toString(), 'latin1');
}

parentPort?.on('message', (work) => {
  if (!(work instanceof ArrayBuffer)) signAll(work);
  parentPort?.postMessage(work instanceof ArrayBuffer ? verdicts(work) : new Uint8Array());
});
parentPort?.postMessage('ready');
