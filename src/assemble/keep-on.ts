/** Does a piece of work again whenever the store has changed, and not more often than is good for the computer. */
import { setTimeout as delay } from 'node:timers/promises';
import { SsblogError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { watchStore } from './follow.ts';

const PAUSE_MS = 1_000;
/** After a round that took long, the pause is so many times as long: late lines may make a large file be copied. */
const PAUSE_ROUNDS = 4;

/**
 * Goes on until the signal comes; the first round is done when something may have changed before the call.
 * @throws the signal's reason; SsblogError `store` when the store is deleted or made anew; what the work throws
 */
export async function keepOn(store: Store, signal: AbortSignal, round: () => Promise<void>): Promise<never> {
  const changes = watchStore(store, signal);
  let done: number | undefined;
  try {
    for (;;) {
      await changes.next();
      signal.throwIfAborted();
      if (store.isReplaced())
        throw new SsblogError('store', 'the store was made anew', { hint: 'run the command again' });
      // Asked before, so that what comes meanwhile makes another round.
      const version = store.dataVersion();
      if (version === done) continue;
      const started = performance.now();
      await round();
      done = version;
      await delay(Math.max(PAUSE_MS, PAUSE_ROUNDS * (performance.now() - started)), undefined, { signal });
    }
  } finally {
    changes.close();
  }
}
