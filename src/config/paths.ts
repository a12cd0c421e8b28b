/** Every path of a machine's directory, in one place. */
import { homedir } from 'node:os';
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
  /** What `assemble` remembers of the files that it wrote. */
  readonly assembled: string;
  /** What notifiers have told, and what they could not. */
  readonly notify: string;
  /** Files whose locks say that a job runs. */
  readonly jobLocks: string;
  /** What is known of this machine's own feed beside its record: see peer/own-feed. */
  readonly ownFeed: string;
  /** Invites that this machine gave, without their secrets. */
  readonly invites: string;
  /** Invites that it was given and has not redeemed. */
  readonly joining: string;
  /** Network keys that were changed: see peer/rekey. */
  readonly rekey: string;
  /** How far other machines have its feed. */
  readonly receipts: string;
  /** Outside the directory, so that a copy that is put back does not bring its own: how far feeds had come. */
  readonly highWaterMarks: string;
}

/**
 * @param dir absolute path of the machine's directory
 * @param environment says where programs keep their state (XDG base directory specification)
 */
export function machinePaths(
  dir: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): MachinePaths {
  const stateHome = environment.XDG_STATE_HOME || join(environment.HOME || homedir(), '.local', 'state');
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
    assembled: join(dir, 'assembled'),
    notify: join(dir, 'notify.json'),
    jobLocks: join(dir, 'job-locks'),
    ownFeed: join(dir, 'own-feed.json'),
    invites: join(dir, 'invites.json'),
    joining: join(dir, 'joining.json'),
    rekey: join(dir, 'rekey.json'),
    receipts: join(dir, 'receipts.json'),
    highWaterMarks: join(stateHome, 'ssblog'),
  };
}
