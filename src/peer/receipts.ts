/**
 * How far other machines have this one's feed. They say it when they connect (EBT's notes), and after each message that
 * came straight from here and is on their disk (`ssblog.have`). Nobody can prove that it has something: a machine that
 * lies makes only its own receipt wrong. What a machine said last counts, less than before as well: it may have lost it.
 */
import * as z from 'zod';
import { readKept, writeKept } from '../config/kept-file.ts';
import type { SignedValue } from '../message/signed.ts';
import type { RemotePeer, SsbPeer } from './ssb/types.ts';

const MAX_MACHINES = 1_000;
/** What comes together is told, and written, once. */
const TELL_MS = 200;
const WRITE_MS = 1_000;
const WRITE_AGAIN_MS = 60_000;

const fileSchema = z.record(z.string(), z.int().nonnegative());

/** By machine: the sequence up to which it has this machine's feed. */
export function readReceipts(file: string): Map<string, number> {
  // They are heard anew.
  return new Map(Object.entries(readKept(file, fileSchema, { empty: {}, damaged: () => ({}) })));
}

interface ReceiptsOptions {
  readonly peer: SsbPeer;
  readonly file: string;
  /** Whose word is kept: those within the hops. */
  readonly isKnown: (id: string) => boolean;
  readonly notice: (text: string) => void;
}

export class Receipts {
  readonly #options: ReceiptsOptions;
  readonly #receipts: Map<string, number>;
  /** By author: what is to be told. */
  readonly #untold = new Map<string, number>();
  #teller: NodeJS.Timeout | undefined;
  #writer: NodeJS.Timeout | undefined;
  /** What was said of the failure that lasts. */
  #said: string | undefined;
  #closed = false;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
    this.#receipts = readReceipts(options.file);
  }

  /** A machine says that it has the feed so far. */
  heard(machine: string, feed: string, sequence: number): void {
    if (this.#closed) return;
    const { peer, isKnown } = this.#options;
    if (feed !== peer.id || machine === peer.id || sequence < 0 || this.#receipts.get(machine) === sequence) return;
    if (!isKnown(machine) || (this.#receipts.size >= MAX_MACHINES && !this.#receipts.has(machine))) return;
    this.#receipts.set(machine, sequence);
    this.#writer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  /** A message of another machine is on the disk: its author, if it is connected, is told. */
  received({ author, sequence }: SignedValue): void {
    if (this.#closed) return;
    if (this.#options.peer.peers[author]?.length) this.#untold.set(author, sequence);
    this.#teller ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#teller);
    if (this.#writer !== undefined) this.#write();
  }

  #tell(): void {
    this.#teller = undefined;
    for (const [author, sequence] of this.#untold) {
      const remote = this.#options.peer.peers[author]?.find(({ closed }: RemotePeer) => !closed);
      // A stock peer knows no such method.
      remote?.ssblog.have(sequence, () => undefined);
    }
    this.#untold.clear();
  }

  #write(): void {
    clearTimeout(this.#writer);
    this.#writer = undefined;
    try {
      writeKept(this.#options.file, Object.fromEntries(this.#receipts));
      this.#said = undefined;
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #fail(text: string): void {
    if (!this.#closed) this.#writer = setTimeout(() => this.#write(), WRITE_AGAIN_MS);
    if (text === this.#said) return;
    this.#said = text;
    this.#options.notice(text);
  }
}
