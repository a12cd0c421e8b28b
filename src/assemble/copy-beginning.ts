/** What stays the same of a file that is written anew. */
import { type FileHandle, open } from 'node:fs/promises';
import { writeFully } from './write-behind.ts';
import { isAsWritten, type Written } from './written.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * Copies so many bytes.
 * @returns false when the file is not the one that is known: nothing is copied then
 */
export async function copyBeginning(path: string, to: FileHandle, bytes: number, known: Written): Promise<boolean> {
  const from = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(COPY_BYTES, bytes - done), done);
      if (bytesRead === 0) break;
      await writeFully(to, buffer.subarray(0, bytesRead), done);
      done += bytesRead;
    }
    if (isAsWritten(known, await from.stat({ bigint: true }))) return true;
    await to.truncate();
    return false;
  } finally {
    await from.close();
  }
}
