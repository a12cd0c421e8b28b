/**
 * `own-feed.json`: what a machine must remember of its own feed beside the record itself. A damaged file counts as the
 * worst that it could have said.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { SsblogError, systemCode } from '../../errors.ts';

/** Why a machine does not write its feed. */
const HOLD_REASONS = [
  /** The record is a copy of what it was: the directory was copied, or a backup put back. */
  'copied',
  /** It had come further, as the mark outside the directory says. */
  'mark',
  /** The computer stopped without warning: a disk may have lost what it said that it had. */
  'crash',
  /** The record was damaged, and saved as far as it could be read. */
  'salvaged',
  /** Another machine holds later messages of it. */
  'behind',
  /** Another process writes it, under the same identity. */
  'cloned',
  /** There are two messages of one number in it. */
  'forked',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** Ends only by what the user does. */
export function isForGood(reason: HoldReason): boolean {
  return reason === 'cloned' || reason === 'forked';
}

const holdSchema = z.object({
  reason: z.enum(HOLD_REASONS),
  /** Since when: milliseconds since the epoch. */
  sinceMs: z.number(),
  /** The sequence that the feed is known to have reached. */
  atLeast: z.int().nonnegative(),
  /** What was seen, for people. */
  detail: z.string().max(1000).optional(),
});
export type Hold = z.infer<typeof holdSchema>;

const stateSchema = z.object({
  /** Which file the record is: another one of the same content is a copy. Absent when it was never written. */
  place: z.string().max(200).optional(),
  /** Which start of the computer the record was last open in. */
  boot: z.string().max(200).optional(),
  /** Whether the record was closed in order. */
  isClosed: z.boolean(),
  /** Another machine holds something of the feed, or takes it. */
  isKnown: z.boolean(),
  hold: holdSchema.optional(),
});
export type OwnFeedState = z.infer<typeof stateSchema>;

/** A machine that has never run. */
const FRESH: OwnFeedState = { isClosed: true, isKnown: false };

export function readOwnFeedState(file: string, now: () => number = Date.now): OwnFeedState {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return FRESH;
    throw new SsblogError('io', `cannot read ${file}: ${(error as Error).message}`, {
      hint: 'look at the rights of the directory, and at the disk',
      cause: error,
    });
  }
  const parsed = stateSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const hold: Hold = { reason: 'salvaged', sinceMs: now(), atLeast: 0, detail: `${file} was damaged` };
  return { ...FRESH, isKnown: true, hold };
}

/** @throws SsblogError `io` when the disk refuses */
export function writeOwnFeedState(file: string, state: OwnFeedState): void {
  const beside = `${file}.new`;
  try {
    writeFileSync(beside, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(beside, file);
  } catch (error) {
    throw new SsblogError('io', `cannot write ${file}: ${(error as Error).message}`, {
      hint: 'look at the rights of the directory, and at the disk',
      cause: error,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}
