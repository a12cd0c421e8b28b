/** What a check says, and what it may look at. */
import type { Identity } from '../config/identity.ts';
import type { Config } from '../config/keys.ts';
import type { ConfigSources } from '../config/load.ts';
import type { MachinePaths } from '../config/paths.ts';
import type { SsblogError } from '../errors.ts';
import type { PeerStatus } from '../peer/control.ts';
import type { Store } from '../store/store.ts';

/** `error` and `warning`: something is wrong. `info`: worth knowing, and no reason to fail. */
type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  /** For programs; never branch on the message. */
  readonly code: string;
  readonly severity: Severity;
  /** One line. */
  readonly message: string;
  /** The next step. */
  readonly hint: string;
  /** What mends it; absent: nothing that a program should do. */
  readonly repair?: RepairName;
}

/** In the order in which they are done. */
export const REPAIRS = ['modes', 'leftovers', 'swap', 'mark', 'salvage', 'flume', 'mirror', 'labels', 'renew'] as const;
export type RepairName = (typeof REPAIRS)[number];

export type DaemonState =
  /** Nobody holds the machine. */
  | { readonly kind: 'none' }
  /** A peer answers; its status is not known when config or secret cannot be read. */
  | { readonly kind: 'running'; readonly status: PeerStatus | undefined }
  /** A process holds the lock and does not answer. */
  | { readonly kind: 'silent'; readonly pid: number | undefined }
  /** The lock itself cannot be used. */
  | { readonly kind: 'unknown'; readonly failure: SsblogError };

/** A machine as far as it can be opened. */
export interface Machine {
  readonly paths: MachinePaths;
  readonly config: Config | SsblogError;
  readonly identity: Identity | SsblogError;
  readonly daemon: DaemonState;
  /** Open to be read; undefined when there is none yet. */
  readonly store: Store | SsblogError | undefined;
  readonly options: ExamineOptions;
}

export interface ExamineOptions {
  /** Every signature, every link, every label. */
  readonly thorough: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly environment: ConfigSources['environment'];
  /** Where the system keeps temporary files. */
  readonly temporaryDir: string;
  readonly signal: AbortSignal;
  readonly notice: (text: string) => void;
  /** How far long work is, in messages or pages. */
  readonly onProgress: (work: string, done: number, total: number) => void;
}

export type Check = (machine: Machine) => Finding[] | Promise<Finding[]>;

export function isOpen<T>(value: T | SsblogError | undefined): value is T {
  return value !== undefined && !(value instanceof Error);
}
