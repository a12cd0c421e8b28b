/** Bytes into a file, one batch while the next is made. */
import type { FileHandle } from 'node:fs/promises';
import { freeMemory } from '../free-memory.ts';

export class WriteBehind {
  readonly #handle: FileHandle;
  #position: number;
  #writing: Promise<void> = Promise.resolve();

  /** @param position where in the file to begin */
  constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  /**
   * Resolves when what was given before is written.
   * @param bytes memory of their own, which is freed when they are written
   * @throws what writing met before
   */
  async write(bytes: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = writeFully(this.#handle, bytes, this.#position).then(() => freeMemory(bytes));
    this.#position += bytes.length;
    this.#writing.catch(() => undefined); // thrown by the next call
  }

  async end(): Promise<void> {
    await this.#writing;
  }
}

/** A single call may write less than it is given. */
export async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
