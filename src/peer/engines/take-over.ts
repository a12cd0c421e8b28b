/**
 * Makes a machine of the engine `ssb-server` one of the engine `sqlite`: brings the store up to date with flume, looks
 * at every message in it, compares the ends of all feeds, and only then makes it the record. Whenever it is
 * interrupted, the machine is still what it was; the next call goes on where it ended.
 */
import { existsSync, renameSync } from 'node:fs';
import { changeConfig } from '../../config/change.ts';
import type { Identity } from '../../config/identity.ts';
import type { Config } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { SignedMessage } from '../../message/signed.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { captureLibraryOutput } from '../library-output.ts';
import { takeLock } from '../lock.ts';
import { promised } from '../pull.ts';
import type { SsbPeer } from '../ssb/types.ts';
import { flumeBytes } from './freshness.ts';
import { isRecord, markAsRecord } from './record-mark.ts';
import { verifyStore } from './sqlite/verify.ts';

/** How far feeds have been verified: JSON, sequence by feed. */
const VERIFIED = 'take-over.verified';

export interface TakeOverOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly paths: MachinePaths;
  readonly notice: (text: string) => void;
  /** Messages that were verified, of those that there are to verify. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface TakenOver {
  readonly messages: number;
  readonly feeds: number;
  /** Where flume's files are now; null when there were none. */
  readonly old: string | null;
}

/** @throws SsblogError `locked` when another process has the machine, `store` when a message is not as it must be */
export async function takeOver(options: TakeOverOptions): Promise<TakenOver> {
  const { paths, notice } = options;
  const lock = takeLock(paths);
  const release = captureLibraryOutput(notice);
  try {
    if (flumeBytes(paths) > 0 && !isTakenOver(paths)) await copyAndCompare(options);
    changeConfig(paths, 'engine', 'sqlite');
    const old = putAway(paths);
    const store = openStore(paths.store);
    try {
      markAsRecord(store, paths);
      return { messages: store.messageCount(), feeds: store.feeds().length, old };
    } finally {
      store.close();
    }
  } finally {
    release();
    lock.close();
  }
}

function isTakenOver(paths: MachinePaths): boolean {
  if (!existsSync(paths.store)) return false;
  try {
    const store = openStore(paths.store, { readOnly: true });
    try {
      return isRecord(store);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof SsblogError && error.code === 'store') return false; // the mirror is made anew
    throw error;
  }
}

async function copyAndCompare(options: TakeOverOptions): Promise<void> {
  const { identity, config, paths, notice } = options;
  const { ssbServerEngine } = await import('./ssb-server.ts');
  const engine = ssbServerEngine(paths);
  const store = engine.openStore(notice);
  try {
    const peer = engine.stack(store)({
      path: paths.dir,
      keys: identity,
      caps: { shs: config.networkKey },
      connections: { incoming: {}, outgoing: {} },
    });
    try {
      let failure: unknown;
      const feeds = await engine.open({
        peer,
        store,
        notice,
        fatal: (error) => {
          failure = error;
        },
      });
      try {
        await verify(store, options);
        await compareEnds(store, peer);
        if (failure !== undefined) throw failure;
      } finally {
        await feeds.close();
      }
      store.setMeta(VERIFIED, '');
      markAsRecord(store, paths);
    } finally {
      await promised<unknown>((callback) => peer.close(callback));
    }
  } finally {
    store.close();
  }
}

async function verify(store: Store, { onProgress, signal }: TakeOverOptions): Promise<void> {
  const verified = new Map(Object.entries(JSON.parse(store.meta(VERIFIED) || '{}') as Record<string, number>));
  const before = [...verified.values()].reduce((sum, messages) => sum + messages, 0);
  const total = store.messageCount();
  const [problem] = await verifyStore(store, {
    verified,
    signal,
    onStep: (messages) => {
      store.setMeta(VERIFIED, JSON.stringify(Object.fromEntries(verified)));
      onProgress(before + messages, total);
    },
  });
  if (problem === undefined) return;
  const { feed, sequence, reason } = problem;
  throw new SsblogError('store', `message ${sequence} of ${feed} is not as it must be: ${reason}`, {
    hint: 'nothing was changed: the engine is still ssb-server',
  });
}

/** Each message names the one before it, so feeds that end alike are alike. */
async function compareEnds(store: Store, peer: SsbPeer): Promise<void> {
  const clock = await promised<Record<string, number>>((callback) => peer.getVectorClock(callback));
  const stored = store.clock();
  for (const feed of new Set([...Object.keys(clock), ...stored.keys()])) {
    const sequence = clock[feed] ?? 0;
    const end = await promised<SignedMessage>((callback) => peer.getAtSequence([feed, sequence], callback));
    if (stored.get(feed) === sequence && store.log.head(feed)?.key === end.key) continue;
    throw new SsblogError('store', `${feed} does not end alike in the store and in flume`, {
      hint: 'nothing was changed: the engine is still ssb-server',
    });
  }
}

/** @returns where flume's files are now */
function putAway(paths: MachinePaths): string | null {
  if (!existsSync(paths.flume)) return existsSync(paths.oldFlume) ? paths.oldFlume : null;
  if (existsSync(paths.oldFlume)) {
    throw new SsblogError('exists', `${paths.oldFlume} is in the way of flume's files`, {
      hint: 'move it elsewhere and run the command again',
    });
  }
  renameSync(paths.flume, paths.oldFlume);
  return paths.oldFlume;
}
