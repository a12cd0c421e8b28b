/** For whoever mends a record: it may have lost the end of the own feed, so others are heard before it is written. */
import type { EngineName } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import { recordPlace } from './place.ts';
import { readOwnFeedState, writeOwnFeedState } from './state-file.ts';

/**
 * Durable when it returns. The machine must be at rest.
 * @param detail what has happened, for people
 */
export function requireCatchUp(paths: MachinePaths, detail: string, now: () => number = Date.now): void {
  const state = readOwnFeedState(paths.ownFeed, now);
  writeOwnFeedState(paths.ownFeed, { ...state, hold: { reason: 'salvaged', sinceMs: now(), atLeast: 0, detail } });
}

/**
 * A file that takes the record's place holds the whole own feed: it is no old copy. The machine must be at rest.
 * @param file the new record, wherever it still is
 */
export function trustRecord(paths: MachinePaths, engine: EngineName, file: string): void {
  const place = recordPlace(engine, file);
  if (place !== undefined) writeOwnFeedState(paths.ownFeed, { ...readOwnFeedState(paths.ownFeed), place });
}
