/**
 * How many bytes of records fill a message, before they are compressed: as many as in the blocks before, or, where those
 * differed too much, what a sample of the records tells. Aims are as much lower as guesses were off. Pure.
 */

/** Until there was a block to learn from. */
const FIRST_GUESS_BYTES = 80_000;
/** How far a guess is off on average, as a share of it, until that is known. */
const FIRST_ERROR = 0.05;
/** What a new block counts in the averages of those before. */
const NEWEST_WEIGHT = 0.3;
/** When guesses are off by more than this on average, a sample pays. */
const POOR = 0.1;
/** Of guesses that are off by this many average errors, one in six makes a block too large, and an attempt vain. */
const ERRORS_LEFT_FREE = 1.3;
const MIN_AIM = 0.8;
const MAX_AIM = 0.98;

/** How records were compressed. */
export interface Filled {
  readonly bytes: number;
  /** Their share of the room that a message has: above 1 they do not fit. */
  readonly fill: number;
}

/** An average of the blocks before. */
interface Average {
  value: number;
  error: number;
}

export class FillGuess {
  /** Bytes that fill a message. */
  #blocks: Average | undefined;
  /** How much of a message's room a block takes for each byte, compared with its sample's density. */
  #samples: Average | undefined;

  /** Bytes to aim at, as far as blocks before tell. */
  get aimBytes(): number {
    return (this.#blocks?.value ?? FIRST_GUESS_BYTES) * aim(this.#blocks?.error ?? FIRST_ERROR);
  }

  /** Whether a sample is worth what it costs. */
  get isPoor(): boolean {
    return (this.#blocks?.error ?? 0) > POOR;
  }

  /**
   * Bytes to aim at; undefined while it is not known what a sample tells.
   * @param density a sample's compressed bytes for each of its bytes
   */
  sampledAimBytes(density: number): number | undefined {
    return this.#samples && aim(this.#samples.error) / (this.#samples.value * density);
  }

  /** @param density of the sample that was taken of it, if one was */
  learn({ bytes, fill }: Filled, density: number | undefined): void {
    this.#blocks = average(this.#blocks, bytes / fill);
    if (density !== undefined) this.#samples = average(this.#samples, fill / bytes / density);
  }
}

function average(before: Average | undefined, value: number): Average {
  if (before === undefined) return { value, error: FIRST_ERROR };
  const off = Math.abs(value / before.value - 1);
  return {
    value: before.value + NEWEST_WEIGHT * (value - before.value),
    error: before.error + NEWEST_WEIGHT * (off - before.error),
  };
}

/** The fill at which to aim when a guess is off by so much on average. */
export function aim(error: number): number {
  return Math.min(MAX_AIM, Math.max(MIN_AIM, 1 - ERRORS_LEFT_FREE * error));
}
