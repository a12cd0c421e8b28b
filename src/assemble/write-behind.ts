/** Bytes into a file, one batch while the next is made. */
import type { FileHandle } from 'node:fs/promises';

export class WriteBehind {
  readonly #handle: FileHandle;
  #position: number;
  #writing: Promise<void> = Promise.resolve();

  /** @param position where in the file to begin */
  constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  /** Resolves when what was given before is written. @throws what that met */
  async write(bytes: Buffer): Promise<void> {
    await this.#writing;
    this.#writing = this.#writeAll(bytes);
    this.#writing.catch(() => undefined); // thrown by the next call
  }

  async end(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, this.#position);
      written += bytesWritten;
      this.#position += bytesWritten;
    }
  }
}
