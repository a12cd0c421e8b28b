/** What a machine knows of changes of the network key, in `rekey.json`. There is none before the first one. */
import * as z from 'zod';
import { changeConfig } from '../../config/change.ts';
import { readKept, writeKept } from '../../config/kept-file.ts';
import type { Config } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import { networkKeySchema } from '../../config/schema.ts';
import { feedIdSchema } from '../../message/content.ts';

const MAX_FEEDS = 10_000;

const stateSchema = z.object({
  /** The current key. */
  key: networkKeySchema,
  /** When it was made: milliseconds since the epoch; 0: as the machine was made. */
  at: z.number(),
  /** Until when the one before it is accepted. */
  until: z.number(),
  /** Who made it; empty: nobody announced it. */
  origin: z.union([feedIdSchema, z.literal('')]),
  /** Machines that must not get it. */
  shutOut: z.array(feedIdSchema).max(MAX_FEEDS),
  old: z.array(z.object({ key: networkKeySchema, untilMs: z.number() })),
  /** Machines that this one has announced it to. */
  told: z.array(feedIdSchema).max(MAX_FEEDS),
  /** The time of the old key was ended, and that is to be announced as well. */
  isEnding: z.boolean(),
  /** Machines that were connected under it, and since when. */
  confirmed: z.record(feedIdSchema, z.number()),
});
export type RekeyState = z.infer<typeof stateSchema>;

const DAMAGED_HINT = 'remove it: the key in config.json stays, older ones are then refused';

function unchanged(key: string): RekeyState {
  return { key, at: 0, until: 0, origin: '', shutOut: [], old: [], told: [], isEnding: false, confirmed: {} };
}

/** @returns undefined where the key was never changed */
export function readRekey(paths: MachinePaths): RekeyState | undefined {
  return readKept<RekeyState | undefined>(paths.rekey, stateSchema, { empty: undefined, damaged: DAMAGED_HINT });
}

/** Both files, or when it is interrupted between them, `openRekey` ends it. @throws SsblogError `io` */
export function adoptKey(paths: MachinePaths, state: RekeyState): void {
  writeKept(paths.rekey, state);
  changeConfig(paths, 'networkKey', state.key);
}

export function writeRekey(paths: MachinePaths, state: RekeyState): void {
  writeKept(paths.rekey, state);
}

/** Under the machine's lock. */
export function openRekey(paths: MachinePaths, { networkKey }: Config, nowMs: number): RekeyState {
  const kept = readRekey(paths);
  if (kept === undefined) return unchanged(networkKey);
  if (kept.key === networkKey) return kept;
  if (kept.old.some(({ key }) => key === networkKey)) {
    // Killed before the configuration was changed, or an old one was put back.
    changeConfig(paths, 'networkKey', kept.key);
    return kept;
  }
  // The user set another one: what was announced before must not replace it.
  const state = { ...unchanged(networkKey), at: nowMs, old: kept.old, shutOut: kept.shutOut };
  writeRekey(paths, state);
  return state;
}
