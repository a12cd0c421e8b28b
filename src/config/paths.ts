/** Every path of a machine's directory, in one place. */
import { join } from 'node:path';

export interface MachinePaths {
  readonly dir: string;
  readonly config: string;
  readonly secret: string;
  /** Names of the peer's methods, for stock SSB clients. */
  readonly manifest: string;
  /** The SQLite store. */
  readonly store: string;
  /** What was saved of a damaged store, whole, before it takes the store's place. */
  readonly salvaged: string;
  /** The file that says that the store is the only place where the feeds are. */
  readonly recordMark: string;
  /** The file whose lock says that one process owns the feed. */
  readonly lock: string;
  /** Files of lines that could not be given to a daemon yet. */
  readonly spool: string;
  /** What flume (engine `ssb-server`) keeps. */
  readonly flume: string;
  /** Its log: every message, one after the other. */
  readonly flumeLog: string;
  /** Where that is put away when the store has taken it over. */
  readonly oldFlume: string;
}

/** @param dir absolute path of the machine's directory */
export function machinePaths(dir: string): MachinePaths {
  return {
    dir,
    config: join(dir, 'config.json'),
    secret: join(dir, 'secret'),
    manifest: join(dir, 'manifest.json'),
    store: join(dir, 'store.db'),
    salvaged: join(dir, 'store.salvaged'),
    recordMark: join(dir, 'store.keep'),
    lock: join(dir, 'lock'),
    spool: join(dir, 'spool'),
    flume: join(dir, 'flume'),
    flumeLog: join(dir, 'flume', 'log.offset'),
    oldFlume: join(dir, 'flume.old'),
  };
}
