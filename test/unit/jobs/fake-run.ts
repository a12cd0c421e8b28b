/** Run records as the store gives them. */
import type { RunRecord } from '../../../src/store/store.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** 03:00 on a day in November, in UTC. */
export const START = Date.UTC(2026, 10, 22, 3);

/** A good run of ten minutes. */
export function fakeRun(changes: Partial<RunRecord> = {}): RunRecord {
  const started = changes.started ?? START;
  return {
    ...{ feed: '@a', run: `run-${started}`, source: 'laptop', destination: undefined, job: 'nightly' },
    ...{ state: 'end', started, ended: started + 10 * MINUTE, exit: 0, ok: false, signal: null, reason: null },
    ...{ lines: 1, levels: null, every: null, cron: null, tz: null, grace: null },
    ...changes,
  };
}

/** One that has not ended, as far as is known. */
export function openRun(started = START): RunRecord {
  return fakeRun({ started, state: 'start', ended: null, exit: null, lines: null });
}
