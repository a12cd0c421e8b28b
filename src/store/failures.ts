/** What SQLite says when it fails, as errors that a user can act on. Anything else is a bug and is passed on. */
import { SsblogError } from '../errors.ts';

/** Why a store cannot be used as it is. */
export type UnusableReason =
  /** There is no file, or nothing in it yet. */
  | 'missing'
  /** Another version of ssblog made it. */
  | 'version'
  /** It is no store, or what it holds is broken. */
  | 'damaged';

/** The store as a whole cannot be used; a mirror is then made anew. */
export class StoreUnusable extends SsblogError {
  readonly reason: UnusableReason;

  constructor(reason: UnusableReason, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('store', message, options);
    this.name = 'StoreUnusable';
    this.reason = reason;
  }
}

/** Primary result codes (https://sqlite.org/rescode.html); the bits above them say more. */
const PRIMARY = 0xff;
const RESULT = { perm: 3, busy: 5, locked: 6, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 };

/** The binding's `all` throws SQLite's text without its code (`sqlite3ErrStr` in SQLite's main.c). */
const RESULT_OF_TEXT: Readonly<Record<string, number>> = {
  'access permission denied': RESULT.perm,
  'database is locked': RESULT.busy,
  'database table is locked': RESULT.locked,
  'attempt to write a readonly database': RESULT.readonly,
  'disk I/O error': RESULT.ioerr,
  'database disk image is malformed': RESULT.corrupt,
  'database or disk is full': RESULT.full,
  'unable to open database file': RESULT.cantopen,
  'file is not a database': RESULT.notadb,
};

function resultOf(error: unknown): number | undefined {
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  return typeof errcode === 'number' ? errcode & PRIMARY : RESULT_OF_TEXT[String(message)];
}

/** @returns the error to throw instead of `error`, which a SQLite call threw */
export function storeFailure(error: unknown, file: string): unknown {
  const text = (error as Error).message;
  switch (resultOf(error)) {
    case RESULT.corrupt:
    case RESULT.notadb:
      return new StoreUnusable('damaged', `the store ${file} is damaged: ${text}`, {
        hint: 'start the daemon again (ssblog start): it mends the store, or says what to do',
        cause: error,
      });
    case RESULT.busy:
    case RESULT.locked:
      return new SsblogError('store', `the store ${file} is held by another process`, {
        hint: 'run the command again',
        cause: error,
      });
    case RESULT.full:
      return new SsblogError('store', `no space left for the store ${file}`, {
        hint: 'free some space on that disk',
        cause: error,
      });
    case RESULT.perm:
    case RESULT.readonly:
    case RESULT.ioerr:
    case RESULT.cantopen:
      return new SsblogError('store', `the store ${file} cannot be used: ${text}`, {
        hint: 'look at the owner and the rights of the file and its directory, and at the disk',
        cause: error,
      });
    default:
      return error;
  }
}
