/**
 * `notify.json`: what notifiers have told, and how their last attempts went. The daemon writes it, `notify`, `status`
 * and `doctor` read it.
 */
import * as z from 'zod';
import { readKept, writeKept } from '../config/kept-file.ts';
import { entrySchema } from './memory.ts';

const notifierStateSchema = z.object({
  entries: z.array(entrySchema),
  /** When something was sent within the last hour. */
  recent: z.array(z.number()),
  lastSentAt: z.number().nullable(),
  /** Attempts in a row that failed, since when, why, and when the next is made. */
  failures: z.number(),
  failingSince: z.number().nullable(),
  lastError: z.string().nullable(),
  nextTryAt: z.number(),
  /** Why its pattern is not looked for. */
  patternProblem: z.string().nullable(),
});
export type NotifierState = z.infer<typeof notifierStateSchema>;

const stateSchema = z.object({
  notifiers: z.record(z.string(), notifierStateSchema),
  /** Patterns were looked for up to this row of the store; null: not yet. */
  row: z.number().nullable(),
});
export type NotifyState = z.infer<typeof stateSchema>;

const EMPTY: NotifyState = { notifiers: {}, row: null };

export const NEW_NOTIFIER: NotifierState = {
  entries: [],
  recent: [],
  lastSentAt: null,
  failures: 0,
  failingSince: null,
  lastError: null,
  nextTryAt: 0,
  patternProblem: null,
};

/**
 * A damaged file counts as none: what is wrong now is told once more, which is better than never.
 * @throws SsblogError `io` when there is one that cannot be read
 */
export function readNotifyState(file: string): NotifyState {
  return readKept(file, stateSchema, { empty: EMPTY, damaged: () => EMPTY });
}

/** @throws SsblogError `io` when the disk refuses */
export function writeNotifyState(file: string, state: NotifyState): void {
  writeKept(file, state);
}
