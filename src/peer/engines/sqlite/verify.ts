/**
 * Looks at every message of a store as if it had just arrived: its signature, its id, and that it follows the one
 * before it. Slow on purpose: it trusts nothing that the store says of itself.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store } from '../../../store/store.ts';
import { checkMessage, type Head } from './validate.ts';

/** Between two looks at the signal and two reports. */
const STEP_MESSAGES = 500;

export interface Problem {
  readonly feed: string;
  readonly sequence: number;
  readonly reason: string;
}

export interface VerifyOptions {
  /** How far each feed was verified before; brought up to date step by step. */
  readonly verified: Map<string, number>;
  /** Called after each step with the number of messages looked at in this call. */
  readonly onStep: (messages: number) => void;
  readonly signal: AbortSignal;
}

/** @returns the first problem of each feed that has one; the rest of such a feed is not looked at */
export async function verifyStore(store: Store, { verified, onStep, signal }: VerifyOptions): Promise<Problem[]> {
  const problems: Problem[] = [];
  let looked = 0;
  const step = async () => {
    onStep(looked);
    await nextTurn();
    signal.throwIfAborted();
  };
  for (const [feed, last] of store.clock()) {
    const from = verified.get(feed) ?? 0;
    let head: Head | undefined;
    if (from > 0) {
      const known = store.message(feed, from);
      head = known === undefined ? undefined : { key: known.key, sequence: from };
    }
    let reached = head?.sequence ?? 0;
    try {
      for (const { key, value } of store.messages(feed, reached)) {
        const id = checkMessage(head, value);
        if (value.author !== feed) throw new Error(`its author is ${value.author}`);
        if (id !== key) throw new Error(`its id is ${id}, it is stored as ${key}`);
        head = { key, sequence: value.sequence };
        reached = value.sequence;
        looked += 1;
        if (looked % STEP_MESSAGES === 0) {
          verified.set(feed, reached);
          await step();
        }
      }
      if (reached !== last) throw new Error('it is missing');
      verified.set(feed, reached);
    } catch (error) {
      if (signal.aborted) throw error;
      problems.push({ feed, sequence: reached + 1, reason: (error as Error).message });
    }
  }
  await step();
  return problems;
}
