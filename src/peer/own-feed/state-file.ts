/**
 * `own-feed.json`: what a machine must remember of its own feed beside the record itself. A damaged file counts as the
 * worst that it could have said.
 */
import * as z from 'zod';
import { readKept, writeKept } from '../../config/kept-file.ts';

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
  const damaged = (): OwnFeedState => {
    const hold: Hold = { reason: 'salvaged', sinceMs: now(), atLeast: 0, detail: `${file} was damaged` };
    return { ...FRESH, isKnown: true, hold };
  };
  return readKept(file, stateSchema, { empty: FRESH, damaged });
}

/** @throws SsblogError `io` when the disk refuses */
export function writeOwnFeedState(file: string, state: OwnFeedState): void {
  writeKept(file, state);
}
