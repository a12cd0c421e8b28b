/**
 * Failures that a user can cause or meet. Everything else that is thrown is a bug
 * and prints its stack.
 */

/** What went wrong, for code to branch on; never branch on a message's text. */
export type ErrorCode =
  /** The command line is wrong. */
  | 'usage'
  /** A file of the machine (config, secret) is missing, broken or unsafe. */
  | 'config'
  /** The directory holds no machine. */
  | 'no-machine'
  /** `init` found something that it would have to overwrite. */
  | 'exists'
  /** A name or id is not known here. */
  | 'unknown-machine'
  /** No job, or more than one, has the name. */
  | 'unknown-job'
  /** A join code is none, or mistyped. */
  | 'code'
  /** The machine belongs to another network than a join code. */
  | 'other-network'
  /** An invite is not known to who is said to have given it. */
  | 'invite-unknown'
  /** As many machines as it was for have used an invite. */
  | 'invite-used'
  | 'invite-expired'
  /** Asked too often: later. */
  | 'busy'
  /** No daemon answers on the socket. */
  | 'no-daemon'
  /** The daemon went away, or did not answer in time. */
  | 'lost'
  /** Another process holds the directory. */
  | 'locked'
  /** The own feed must not be written now: it may be behind what others hold of it, or has forked. */
  | 'held'
  /** The port is taken. */
  | 'port'
  /** The store cannot be read or written. */
  | 'store'
  /** The peer refused or failed. */
  | 'peer'
  /** Somebody could not be told. */
  | 'notify'
  /** A file or disk error. */
  | 'io';

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'usage',
  'config',
  'no-machine',
  'exists',
  'unknown-machine',
  'unknown-job',
  'code',
  'other-network',
]);

/** An expected failure: one line for the user and, where there is one, a next step. */
export class SsblogError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SsblogError';
    this.code = code;
    this.hint = options.hint;
  }

  /** The process's exit code: 2 for usage and configuration, 1 for a failure at run time. */
  get exitCode(): 1 | 2 {
    return USAGE_CODES.has(this.code) ? 2 : 1;
  }
}

/** The `code` of a Node system error (`ENOENT`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
