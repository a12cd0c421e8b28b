/**
 * How much of the disk others' messages may take. Whoever is followed can sign as much as it likes, and all of it is
 * valid: so the last of the disk is kept for this machine's own lines, and of what is free above that no feed takes
 * more than half in a day. One that floods stops by itself then, and there is room for the others. Pure.
 */

const MB = 1_000_000;
/** Kept for this machine itself: this much, or this share of a disk that is small. */
const RESERVE_BYTES = 100 * MB;
const RESERVE_SHARE = 1 / 20;
/** Others go on when so many times the reserve is free: not to stop and go with every file that comes and goes. */
const RELIEF = 1.2;
/** Of what is free above the reserve, for one feed in one period. */
const FEED_SHARE = 1 / 2;
const PERIOD_MS = 86_400_000;
/** The disk is looked at again after so much. */
const LOOK_BYTES = 4 * MB;

export interface Space {
  readonly freeBytes: number;
  /** Of the whole disk. */
  readonly sizeBytes: number;
}

/** Why messages are not taken. */
export type Pause =
  /** Of nobody else: the disk is nearly full. */
  | { readonly reason: 'disk'; readonly freeBytes: number; readonly neededBytes: number }
  /** Of one feed, which took its share. */
  | { readonly reason: 'share'; readonly feed: string; readonly tookBytes: number; readonly untilMs: number };

interface Use {
  readonly sinceMs: number;
  bytes: number;
  maxBytes: number;
}

export interface RoomOptions {
  /** Looks at the disk. */
  readonly space: () => Space;
  /** Called when other feeds are paused than before. */
  readonly onChange: () => void;
  readonly now?: () => number;
}

export class Room {
  readonly #options: RoomOptions;
  readonly #now: () => number;
  readonly #uses = new Map<string, Use>();
  #space: Space;
  #isLow = false;
  #unseenBytes = 0;
  #paused: ReadonlySet<string> = new Set();

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#space = options.space();
    this.#isLow = this.#space.freeBytes < this.#reserve();
  }

  /** A message of somebody else was stored. */
  took(feed: string, bytes: number): void {
    const use = this.#uses.get(feed) ?? { sinceMs: this.#now(), bytes: 0, maxBytes: this.#share() };
    this.#uses.set(feed, use);
    use.bytes += bytes;
    this.#unseenBytes += bytes;
    if (this.#unseenBytes >= LOOK_BYTES || use.bytes > use.maxBytes) this.look();
  }

  /** Whether messages of somebody else's feed are not taken now. */
  isPaused(feed: string): boolean {
    return this.#isLow || this.#paused.has(feed);
  }

  get isAnyPaused(): boolean {
    return this.#isLow || this.#paused.size > 0;
  }

  pauses(): Pause[] {
    const { freeBytes } = this.#space;
    if (this.#isLow) return [{ reason: 'disk', freeBytes, neededBytes: this.#reserve() * RELIEF }];
    return [...this.#paused].map((feed) => {
      const { bytes, sinceMs } = this.#uses.get(feed) as Use;
      return { reason: 'share', feed, tookBytes: bytes, untilMs: sinceMs + PERIOD_MS };
    });
  }

  /** Looks at disk and clock. To be called now and then. */
  look(): void {
    this.#space = this.#options.space();
    this.#unseenBytes = 0;
    const wasLow = this.#isLow;
    this.#isLow = this.#space.freeBytes < this.#reserve() * (wasLow ? RELIEF : 1);
    const paused = new Set<string>();
    for (const [feed, use] of this.#uses) {
      const age = this.#now() - use.sinceMs;
      // A clock that was set back must not make a day longer.
      if (age >= PERIOD_MS || age < 0) {
        this.#uses.delete(feed);
        continue;
      }
      // Whoever makes room makes it for those that wait as well.
      use.maxBytes = Math.max(use.maxBytes, this.#share());
      if (use.bytes > use.maxBytes) paused.add(feed);
    }
    const isSame = paused.size === this.#paused.size && [...paused].every((feed) => this.#paused.has(feed));
    this.#paused = paused;
    if (!isSame || wasLow !== this.#isLow) this.#options.onChange();
  }

  #reserve(): number {
    return Math.min(RESERVE_BYTES, this.#space.sizeBytes * RESERVE_SHARE);
  }

  #share(): number {
    return Math.max(0, this.#space.freeBytes - this.#reserve()) * FEED_SHARE;
  }
}

/** Of what a message has beside its content. */
const ENVELOPE_BYTES = 500;

/** About how many bytes a message has in UTF-8: never much less, and on the disk it is less. @param value as it was signed */
export function roughSize(value: { readonly content: unknown }): number {
  return ENVELOPE_BYTES + sizeOf(value.content);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return 8;
  let size = 0;
  for (const [key, part] of Object.entries(value)) size += Buffer.byteLength(key) + sizeOf(part);
  return size;
}
