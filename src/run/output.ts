/**
 * The two streams of a command as one, in the order in which they were read. That is the order in which they were
 * written as far as two pipes tell: of what was written between two looks, each stream comes as a whole.
 */
import type { Readable } from 'node:stream';
import { Change } from '../change.ts';
import { LineCutter, type RawLines } from '../lines/split.ts';
import type { StreamName } from '../message/record.ts';

export interface OutputChunk {
  readonly stream: StreamName;
  readonly bytes: Buffer;
  /** When it was read: whole milliseconds since the epoch. */
  readonly at: number;
}

export interface OutputLines {
  readonly stream: StreamName;
  readonly lines: readonly RawLines[];
}

/** Chunks (of at most 64 KiB) that wait for whoever takes them; while there are so many, nothing more is read. */
const MAX_WAITING_CHUNKS = 64;

export interface OutputOptions {
  readonly now: () => number;
  /** Gets every chunk as it comes; reading that stream waits for it. */
  readonly copy: (chunk: OutputChunk) => Promise<void>;
}

export class Output {
  readonly #options: OutputOptions;
  readonly #streams: readonly Readable[];
  readonly #chunks: OutputChunk[] = [];
  #isFinished = false;
  readonly #changed = new Change();
  /** Settles when both streams have ended. */
  readonly ended: Promise<void>;

  constructor(stdout: Readable, stderr: Readable, options: OutputOptions) {
    this.#options = options;
    this.#streams = [stdout, stderr];
    this.ended = Promise.all([this.#read(stdout, 'stdout'), this.#read(stderr, 'stderr')]).then(() => undefined);
  }

  /** Ends the reading: who still writes gets a broken pipe. */
  stop(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** Adds a line of our own, also when both streams have ended. */
  say(text: string): void {
    this.#add({ stream: 'stderr', bytes: Buffer.from(`${text}\n`), at: Math.floor(this.#options.now()) });
  }

  /** Nothing more is said. */
  finish(): void {
    this.#isFinished = true;
    this.#changed.tell();
  }

  /** The chunks until `finish`. To be called again after it was left. */
  async *chunks(): AsyncGenerator<OutputChunk, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#changed.tell();
        yield chunk;
      } else if (this.#isFinished) return;
      else await this.#changed.next();
    }
  }

  async #read(stream: Readable, name: StreamName): Promise<void> {
    try {
      for await (const bytes of stream) {
        const chunk = { stream: name, bytes: bytes as Buffer, at: Math.floor(this.#options.now()) };
        this.#add(chunk);
        await this.#options.copy(chunk);
        while (this.#chunks.length >= MAX_WAITING_CHUNKS) await this.#changed.next();
      }
    } catch (error) {
      if (!stream.destroyed) throw error; // else by `stop`
    }
  }

  #add(chunk: OutputChunk): void {
    this.#chunks.push(chunk);
    this.#changed.tell();
  }
}

/** The lines in the chunks; each stream's own, for a line of one may begin before one of the other has ended. */
export async function* linesOf(chunks: AsyncIterable<OutputChunk>): AsyncGenerator<OutputLines, undefined> {
  const cutters = { stdout: new LineCutter(), stderr: new LineCutter() };
  let last = 0;
  for await (const { stream, bytes, at } of chunks) {
    last = Math.max(last, at);
    const lines = cutters[stream].cut(bytes, last);
    if (lines.length > 0) yield { stream, lines };
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const lines = cutters[stream].end(last);
    if (lines.length > 0) yield { stream, lines };
  }
}
