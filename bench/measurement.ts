/** What a measurement is: contenders that do the same work, and figures that say how they did. */
import type { Sandbox } from '../test/helpers/sandbox.ts';
import type { Inputs } from './input/inputs.ts';
import type { InputFile, Logs } from './input/logs.ts';
import type { Archives } from './machines/archive.ts';

/** Of rates (`/s`) more is better, of everything else less. */
export type Unit = 'lines/s' | 'messages/s' | 'MB/s' | 'ms' | 's' | 'MB' | 'bytes' | 'of raw';

/** What one contender reached in one round. */
export interface Figure {
  /** The same words for all contenders that are compared. */
  readonly metric: string;
  readonly contender: string;
  readonly unit: Unit;
  readonly value: number;
}

export interface Contender {
  readonly name: string;
  /** Somebody else's software, or ours on another engine. */
  readonly isPeer?: boolean;
  /** So slow, or so steady, that one round is enough. */
  readonly isOnce?: boolean;
  /** What has to be known to read its figures rightly. */
  readonly note?: string;
  /** Why it cannot take part on this machine. */
  readonly missing?: () => string | undefined;
  /** @throws when the result of the work is wrong */
  readonly measure: (bench: Bench) => Promise<Figure[]>;
}

export interface Measurement {
  /** For `--only`. */
  readonly name: string;
  readonly contenders: (bench: Bench) => readonly Contender[];
}

/** What all measurements work with. */
export interface Bench {
  /** For what outlives one contender's turn. */
  readonly box: Sandbox;
  readonly isShort: boolean;
  /** Of a large input. */
  readonly lines: number;
  readonly logs: Logs;
  /** All logs in one file, as they are. */
  readonly logsAsTheyAre: InputFile;
  readonly inputs: Inputs;
  readonly archives: Archives;
}

export const OURS = 'ssblog';
export const OURS_ON_FLUME = 'ssblog, engine ssb-server';
