/** Waiting for a condition instead of for a time: the deadline is only there to end a test that would hang. */
import { setTimeout as delay } from 'node:timers/promises';

/** Generous: a busy two-core machine must not make a test fail. */
export const DEADLINE_MS = 60_000;

export interface WaitOptions {
  readonly deadlineMs?: number;
  readonly everyMs?: number;
  /** What to add to the error when the deadline passes, for instance a daemon's output. */
  readonly detail?: () => string;
}

/**
 * Calls `check` until it gives something truthy, and returns that.
 * @param what the condition in words, for the error
 * @throws when the deadline passes, or what `check` throws
 */
export async function waitFor<T>(
  what: string,
  check: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<T>> {
  const { deadlineMs = DEADLINE_MS, everyMs = 100, detail } = options;
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) {
      throw new Error(`waited ${deadlineMs} ms in vain for: ${what}${detail ? `\n${detail()}` : ''}`);
    }
    await delay(everyMs);
  }
}
