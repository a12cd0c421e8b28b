/** Two commands that write to one place take turns. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MemoryOptions } from '../assemble/memory.ts';
import { SsblogError } from '../errors.ts';
import { takeLock } from '../peer/lock.ts';
import { type Invocation, note } from './context.ts';

const RETRY_MS = 50;

/** @throws what the signal that ends the command makes of waiting */
export function placeLock(call: Invocation): NonNullable<MemoryOptions['lock']> {
  return async (file, place) => {
    for (let hasSaid = false; ; hasSaid = true) {
      try {
        return takeLock({ lock: file, dir: place });
      } catch (error) {
        if (!(error instanceof SsblogError) || error.code !== 'locked') throw error;
      }
      if (!hasSaid) note(call, `waiting for another ssblog that writes ${place}`);
      await delay(RETRY_MS, undefined, { signal: call.context.signal });
    }
  };
}
