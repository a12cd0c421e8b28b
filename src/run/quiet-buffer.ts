/**
 * Output that is shown only when the command fails. A little is kept in memory, more in a file that has no name, so
 * that nothing is left of it however the process ends.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { StreamName } from '../message/record.ts';
import type { OutputChunk } from './output.ts';

type Chunk = Pick<OutputChunk, 'stream' | 'bytes'>;

const MAX_MEMORY_BYTES = 256 * 1024;

/** Stream and length before each chunk in the file. */
const HEADER_BYTES = 5;
const STREAMS: readonly StreamName[] = ['stdout', 'stderr'];

export interface QuietBufferOptions {
  /** Paths of temporary files, tried in this order; they are made with mode 0600 and lose their names at once. */
  readonly files: readonly string[];
  /** Shows a chunk. */
  readonly show: (chunk: Chunk) => Promise<void>;
  /** Says why no more can be kept: from then on all is shown. */
  readonly onFull: (reason: unknown) => void;
  readonly maxMemoryBytes?: number;
}

export class QuietBuffer {
  readonly #options: QuietBufferOptions;
  #memory: Chunk[] = [];
  #memoryBytes = 0;
  #fd: number | undefined;
  #fileBytes = 0;
  #isOpen = false;
  /** One thing at a time, whichever stream it is for. */
  #chain: Promise<void> = Promise.resolve();

  constructor(options: QuietBufferOptions) {
    this.#options = options;
  }

  add(chunk: Chunk): Promise<void> {
    return this.#next(async () => {
      if (this.#isOpen) return this.#options.show(chunk);
      this.#memory.push(chunk);
      this.#memoryBytes += chunk.bytes.length;
      if (this.#memoryBytes <= (this.#options.maxMemoryBytes ?? MAX_MEMORY_BYTES)) return;
      try {
        this.#spill();
      } catch (error) {
        this.#options.onFull(error);
        await this.#showKept();
      }
    });
  }

  /** Shows all that was kept, and from now on what comes. */
  show(): Promise<void> {
    return this.#next(() => this.#showKept());
  }

  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#chain.then(step);
    this.#chain = done.catch(() => undefined); // its caller has it
    return done;
  }

  async #showKept(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    if (this.#fd !== undefined) await this.#showFile(this.#fd);
    for (const chunk of this.#memory) await this.#options.show(chunk);
    this.#memory = [];
  }

  #spill(): void {
    this.#fd ??= openNameless(this.#options.files);
    // As it will be read; what a full disk took of it does not count.
    const frames = this.#memory.flatMap(({ stream, bytes }) => [header(stream, bytes.length), bytes]);
    const data = Buffer.concat(frames);
    for (let written = 0; written < data.length; ) {
      written += writeSync(this.#fd, data, written, data.length - written, this.#fileBytes + written);
    }
    this.#fileBytes += data.length;
    this.#memory = [];
    this.#memoryBytes = 0;
  }

  async #showFile(fd: number): Promise<void> {
    for (let at = 0; at < this.#fileBytes; ) {
      const head = readAt(fd, at, HEADER_BYTES);
      const bytes = readAt(fd, at + HEADER_BYTES, head.readUInt32LE(1));
      await this.#options.show({ stream: STREAMS[head[0] as number] ?? 'stderr', bytes });
      at += HEADER_BYTES + bytes.length;
    }
    closeSync(fd);
    this.#fd = undefined;
  }
}

function header(stream: StreamName, length: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head[0] = STREAMS.indexOf(stream);
  head.writeUInt32LE(length, 1);
  return head;
}

function openNameless(files: readonly string[]): number {
  let failure: unknown = new Error('there is no place for it');
  for (const file of files) {
    try {
      const fd = openSync(file, 'wx+', 0o600);
      rmSync(file);
      return fd;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let have = 0; have < length; ) {
    const read = readSync(fd, bytes, have, length - have, position + have);
    if (read === 0) throw new Error('the kept output is cut off');
    have += read;
  }
  return bytes;
}
