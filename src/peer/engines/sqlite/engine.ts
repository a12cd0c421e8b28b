/** The store as the record: nothing is acknowledged or offered to a peer before it is on the disk. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../../config/identity.ts';
import type { MachinePaths } from '../../../config/paths.ts';
import { SsblogError } from '../../../errors.ts';
import { StoreUnusable } from '../../../store/failures.ts';
import { openStore, recheckDamage } from '../../../store/open.ts';
import type { Store } from '../../../store/store.ts';
import { createStack } from '../../ssb/stock.ts';
import type { SsbPeer } from '../../ssb/types.ts';
import type { Engine } from '../engine.ts';
import { hadRecord, isRecord, markAsRecord } from '../record-mark.ts';
import { Episodes } from './episodes.ts';
import { FeedLog } from './feed-log.ts';
import { databasePlugin } from './plugin.ts';
import { SignatureThread } from './signature-thread.ts';

/** What the peer's `version` answers; stock peers do not ask. */
const VERSION = '1.0.0';

export function sqliteEngine(paths: MachinePaths, identity: Identity): Engine {
  let feeds: FeedLog | undefined;
  const thread = new SignatureThread();
  return {
    name: 'sqlite',
    record: paths.store,
    openStore: () => openRecord(paths),
    stack(store) {
      feeds = new FeedLog({ keys: identity, store, thread });
      return createStack().use(databasePlugin(feeds, VERSION));
    },
    async open({ peer, notice, fatal }) {
      if (feeds === undefined) throw new Error('the stack is made first');
      const log = feeds;
      thread.onLoss((error) => notice(`signatures are made and verified without a second thread: ${error.message}`));
      const troubles = new Episodes(notice);
      log.onCommit(() => {
        if (!log.isClosed) troubles.success();
      });
      log.onFailure((error) => {
        troubles.failure(`nothing can be stored: ${(error as Error).message}`);
        if (error instanceof StoreUnusable) fatal(error);
        // What they sent is lost here; when they come back, EBT asks for it again.
        else hangUp(peer);
      });
      return {
        publish: async (contents) => log.publishAll(contents),
        close: async () => log.close(),
      };
    },
  };
}

/**
 * A record is never made anew: what it holds is nowhere else.
 * @throws SsblogError `store`
 */
function openRecord(paths: MachinePaths): Store {
  if (hadRecord(paths) && !holdsSomething(paths.store)) throw lost(paths, 'is gone');
  const store = openUndamaged(paths);
  try {
    if (!isRecord(store)) {
      if (hadRecord(paths)) throw lost(paths, 'is not the one that held them');
      if (existsSync(join(paths.flume, 'log.offset'))) {
        throw new SsblogError('store', `the feeds of ${paths.dir} are kept by the engine "ssb-server"`, {
          hint: 'take them over with: ssblog engine sqlite, or set "engine" to "ssb-server" in config.json',
        });
      }
    }
    markAsRecord(store, paths);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

function holdsSomething(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function openUndamaged(paths: MachinePaths): Store {
  try {
    recheckDamage(paths.store);
    return openStore(paths.store);
  } catch (error) {
    if (error instanceof StoreUnusable && error.reason === 'damaged') throw lost(paths, 'is damaged', error);
    throw error;
  }
}

function lost(paths: MachinePaths, what: string, cause?: Error): SsblogError {
  const detail = cause === undefined ? '' : ` (${cause.message})`;
  return new SsblogError('store', `the store ${paths.store}, which holds the feeds of this machine, ${what}${detail}`, {
    hint: 'put a backup of it in its place, or save what can be read of it with: ssblog doctor --fix',
    cause,
  });
}

function hangUp(peer: SsbPeer): void {
  for (const [id, connections] of Object.entries(peer.peers)) {
    if (id === peer.id) continue;
    for (const connection of [...connections]) connection.close(true, () => undefined);
  }
}
