/** Gives memory back at once: large buffers pile up until V8 finds it worth looking which of them are still used. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Of less it is not worth the call. */
const MIN_BYTES = 8 * 1024;

let nowhere: MessagePort | undefined;

/**
 * Frees the memory that a buffer is part of, all of it; who still looks at it sees no bytes. What is small, or may be
 * Node's pool, from which it cuts small buffers, is left to V8.
 * @param buffer whose memory nobody else uses: no other buffer, nothing that still reads or writes
 */
export function freeMemory({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  const { byteLength } = buffer;
  if (byteLength <= MIN_BYTES || byteLength === Buffer.poolSize || !(buffer instanceof ArrayBuffer)) return;
  if (nowhere === undefined) {
    nowhere = new MessageChannel().port1;
    nowhere.close();
  }
  // A port that is closed takes what is handed over, as the HTML standard has it, and drops it.
  nowhere.postMessage(undefined, [buffer]);
}
