/**
 * SSB's libraries print to the console, whole stacks for every failed handshake among them: a stranger could
 * flood the journal. The console is theirs alone (ssblog writes to its streams), so it is taken away here.
 */
import { inspect } from 'node:util';
import { CROSSING } from './connections.ts';

/** Texts that are printed before the rest of a period is only counted. */
const TEXTS_PER_PERIOD = 5;
const PERIOD_MS = 60_000;

/** The address may end in `~shs:`, without the key of who never got so far. */
const REFUSED = /^server error, from (.*?)(?:~shs:)?$/;

/**
 * @param notice gets one line for each text that a library prints, at most five a minute
 * @returns gives the console back
 */
export function captureLibraryOutput(notice: (text: string) => void, now: () => number = Date.now): () => void {
  const original = { log: console.log, warn: console.warn, error: console.error };
  let periodStart = now();
  let count = 0;
  /** multiserver prints where a failed connection came from, and then why it failed. */
  let refused: string | undefined;
  const capture = (...values: unknown[]) => {
    const line = firstLine(values);
    const from = REFUSED.exec(line)?.[1];
    if (from !== undefined) {
      refused = from;
      return;
    }
    if (refused !== undefined && values.some(isCrossing)) {
      refused = undefined; // nothing is wrong: they are being connected the other way round
      return;
    }
    const text = refused === undefined ? line : `refused a connection from ${refused}: ${line}`;
    refused = undefined;
    if (now() - periodStart > PERIOD_MS) {
      if (count > TEXTS_PER_PERIOD) notice(`${count - TEXTS_PER_PERIOD} more like these in the last minute`);
      periodStart = now();
      count = 0;
    }
    count += 1;
    if (count <= TEXTS_PER_PERIOD) notice(text);
  };
  Object.assign(console, { log: capture, warn: capture, error: capture });
  return () => Object.assign(console, original);
}

/** The reason of a refusal is in the stack only. */
function isCrossing(value: unknown): boolean {
  return value instanceof Error && (value.stack ?? '').includes(CROSSING);
}

function firstLine(values: readonly unknown[]): string {
  const text = values
    .map((value) => (value instanceof Error ? value.message : typeof value === 'string' ? value : inspect(value)))
    .join(' ');
  return text.split('\n', 1)[0] ?? '';
}
