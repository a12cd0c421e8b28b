/**
 * How fast machines outside the hops are read. They have the network key and may speak, but nothing that they say is
 * worth much of this machine's time: a little in each second, for each and for all together, and what was worth
 * storing counts back. Nobody is hung up on; who sends more waits, as for a slow network.
 */
import type { PullSource } from './ssb/types.ts';

const MB = 1_000_000;
/** Asking for all feeds of a network and saying how far they are takes a few kilobytes. */
const LIMITS = {
  bytesPerSecond: 256_000,
  burstBytes: 4 * MB,
  /** For all strangers together. */
  allBytesPerSecond: 4 * MB,
  allBurstBytes: 32 * MB,
  /** So much of each machine's is read even when all together are over their share: enough to be let in. */
  freeBytes: 64_000,
};
export type StrangerLimits = typeof LIMITS;

/** Who is followed meanwhile is not to wait for long. */
const MAX_WAIT_MS = 1_000;
/** Ids can be made up: those that were heard of last are remembered. */
const MAX_MACHINES = 1_000;

interface Bucket {
  bytes: number;
  atMs: number;
}

export class StrangerPace {
  readonly #limits: StrangerLimits;
  readonly #isStranger: (id: string) => boolean;
  readonly #now: () => number;
  /** What may still be read at once, by machine; the one that was heard of last is the last. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #all: Bucket;

  /** @param now milliseconds of a clock that does not step back */
  constructor(
    isStranger: (id: string) => boolean,
    limits: Partial<StrangerLimits> = {},
    now: () => number = () => performance.now(),
  ) {
    this.#isStranger = isStranger;
    this.#limits = { ...LIMITS, ...limits };
    this.#now = now;
    this.#all = { bytes: this.#limits.allBurstBytes, atMs: now() };
  }

  /** Bytes of a machine were read. */
  spend(id: string, bytes: number): void {
    if (!this.#isStranger(id)) return;
    this.#bucket(id).bytes -= bytes;
    this.#refilled().bytes -= bytes;
  }

  /** Bytes that a machine brought were worth storing. */
  earn(id: string, bytes: number): void {
    if (!this.#isStranger(id)) return;
    const bucket = this.#bucket(id);
    const { burstBytes, allBurstBytes } = this.#limits;
    bucket.bytes = Math.min(burstBytes, bucket.bytes + bytes);
    this.#all.bytes = Math.min(allBurstBytes, this.#all.bytes + bytes);
  }

  /** How long to wait before more of a machine is read, in milliseconds. */
  waitMs(id: string): number {
    if (!this.#isStranger(id)) return 0;
    const { bytesPerSecond, burstBytes, allBytesPerSecond, freeBytes } = this.#limits;
    const { bytes } = this.#bucket(id);
    const own = bytes < 0 ? (-bytes / bytesPerSecond) * 1_000 : 0;
    const all = this.#refilled().bytes;
    if (all >= 0 || burstBytes - bytes < freeBytes) return own;
    return Math.max(own, (-all / allBytesPerSecond) * 1_000);
  }

  #bucket(id: string): Bucket {
    const { bytesPerSecond, burstBytes } = this.#limits;
    const bucket = this.#buckets.get(id) ?? { bytes: burstBytes, atMs: this.#now() };
    this.#buckets.delete(id);
    this.#buckets.set(id, bucket);
    if (this.#buckets.size > MAX_MACHINES) this.#buckets.delete(this.#buckets.keys().next().value as string);
    refill(bucket, bytesPerSecond, burstBytes, this.#now());
    return bucket;
  }

  #refilled(): Bucket {
    refill(this.#all, this.#limits.allBytesPerSecond, this.#limits.allBurstBytes, this.#now());
    return this.#all;
  }
}

function refill(bucket: Bucket, bytesPerSecond: number, maxBytes: number, nowMs: number): void {
  bucket.bytes = Math.min(maxBytes, bucket.bytes + ((nowMs - bucket.atMs) / 1_000) * bytesPerSecond);
  bucket.atMs = nowMs;
}

/** The same chunks, for a reader that then waits as long as their sender has to. */
export function pacedReads(read: PullSource<Buffer>, id: string, pace: StrangerPace): PullSource<Buffer> {
  let timer: NodeJS.Timeout | undefined;
  let waiting: Parameters<PullSource<Buffer>>[1] | undefined;
  return (abort, callback) => {
    if (abort) {
      clearTimeout(timer);
      waiting?.(abort);
      waiting = undefined;
      read(abort, callback);
      return;
    }
    const go = () => {
      const waitMs = pace.waitMs(id);
      if (waitMs > 0) {
        waiting = callback;
        timer = setTimeout(go, Math.min(waitMs, MAX_WAIT_MS));
        return;
      }
      waiting = undefined;
      read(null, (end, chunk) => {
        if (chunk !== undefined) pace.spend(id, chunk.length);
        callback(end, chunk);
      });
    };
    go();
  };
}
