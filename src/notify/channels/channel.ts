/** One way to tell somebody something. */
import type { Notice } from '../words.ts';

/** @throws SsblogError `notify` when it is not certain that it was taken; the signal's end counts as well */
export type Send = (notice: Notice, options: SendOptions) => Promise<void>;

interface SendOptions {
  /** Ends what takes too long. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The machine's directory. */
  readonly dir: string;
}
