/**
 * The stock server as a library: flume keeps the feeds, the store mirrors them. Flume never calls fsync;
 * the store does, so a message counts as durable once the mirror has it.
 */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createSsbServer } from 'ssb-server';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { Content } from '../../message/content.ts';
import type { SignedMessage } from '../../message/signed.ts';
import { StoreUnusable } from '../../store/failures.ts';
import { openMirror, openStore } from '../../store/open.ts';
import { promised } from '../pull.ts';
import type { SsbPeer } from '../ssb/types.ts';
import type { Engine, Placed, PrivateContent } from './engine.ts';
import { FLUME_LIMITS, limitFlume } from './flume-limit.ts';
import { flumeBytes, flumeLog, MIRRORED_BYTES } from './freshness.ts';
import { Mirror } from './mirror.ts';
import { markAsMirror } from './record-mark.ts';

const VIEWS_PATIENCE_MS = 3000;
const VIEWS_POLL_MS = 10;

/** @param limits sizes of flume's log at which it warns, and writes no more */
export function ssbServerEngine(paths: MachinePaths, limits = FLUME_LIMITS): Engine {
  return {
    name: 'ssb-server',
    record: flumeLog(paths),
    openStore(notice) {
      refuseToReplaceRecord(paths);
      const { store, rebuilt, reason } = openMirror(paths.store);
      if (rebuilt && reason !== undefined) notice(`the store is made anew from the feeds: ${reason}`);
      markAsMirror(store, paths);
      return store;
    },
    stack: () => createSsbServer(),
    async open(context) {
      const { peer, store } = context;
      const mirror = new Mirror(context);
      limitFlume(peer, { bytes: () => flumeBytes(paths), limits, notice: context.notice });
      store.setMeta(MIRRORED_BYTES, '');
      await mirror.start();
      return {
        async publish(contents: readonly (Content | PrivateContent)[]): Promise<Placed> {
          // ssb-db calls back only once its whole queue is written: all are handed over before waiting.
          const published = await Promise.all(
            contents.map((content) => promised<SignedMessage>((callback) => peer.publish(content, callback))),
          );
          const last = published.at(-1);
          if (last !== undefined) await mirror.reached(peer.id, last.value.sequence);
          return { durable: Promise.resolve() };
        },
        async close(): Promise<void> {
          await mirror.close();
          await viewsAreWritten(peer);
          // The size first: what arrives after it makes the store look stale, which only costs a look.
          const bytes = flumeBytes(paths);
          const clock = await promised<Record<string, number>>((callback) => peer.getVectorClock(callback));
          const stored = store.clock();
          if (Object.entries(clock).every(([feed, sequence]) => stored.get(feed) === sequence)) {
            store.setMeta(MIRRORED_BYTES, String(bytes));
          }
        },
      };
    },
  };
}

/** Flume's views follow its log by themselves; one that is closed while it writes may never say that it is closed. */
async function viewsAreWritten(peer: SsbPeer): Promise<void> {
  const giveUpAt = Date.now() + VIEWS_PATIENCE_MS;
  while (!peer.status().sync.sync && Date.now() < giveUpAt) await delay(VIEWS_POLL_MS);
}

/** Without flume there is nothing to make the store anew from: what it holds is then nowhere else. */
function refuseToReplaceRecord(paths: MachinePaths): void {
  if (flumeBytes(paths) > 0 || !holdsMessages(paths.store)) return;
  throw new SsblogError('store', `the feeds of ${paths.dir} are kept by the engine "sqlite"`, {
    hint: 'set "engine" to "sqlite" in config.json',
  });
}

/** A store that cannot be read may hold some. */
function holdsMessages(file: string): boolean {
  if (!existsSync(file) || statSync(file).size === 0) return false;
  try {
    const store = openStore(file, { readOnly: true });
    try {
      return store.messageCount() > 0;
    } finally {
      store.close();
    }
  } catch (error) {
    return !(error instanceof StoreUnusable && error.reason === 'missing');
  }
}
