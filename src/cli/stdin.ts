/** This process's stdin, with larger chunks where it is a file. */
import { createReadStream, fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';

const STDIN = 0;
/** Four times what Node reads at a time: a pass of the event loop for each chunk costs more than the reading. */
const CHUNK_BYTES = 256 * 1024;

export function openStdin(): Readable {
  return isFile() ? createReadStream('', { fd: STDIN, highWaterMark: CHUNK_BYTES, autoClose: false }) : process.stdin;
}

function isFile(): boolean {
  try {
    return fstatSync(STDIN).isFile();
  } catch {
    return false; // closed: Node knows what to do
  }
}
