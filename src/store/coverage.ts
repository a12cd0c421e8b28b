/**
 * Which records of a run are in the log already, so that one that comes twice is shown once.
 * Nearly always that is all up to a number; gaps are remembered for those that come late. Pure.
 */

/** From and to, both included. */
export type Range = readonly [from: number, to: number];

export interface Coverage {
  /** The highest record number; 0 when there is none. */
  readonly progress: number;
  /** What is missing below it, ascending. */
  readonly gaps: readonly Range[];
}

export const NOTHING: Coverage = { progress: 0, gaps: [] };

/**
 * A writer in order leaves no gaps; this bounds what one in disorder can make a store remember.
 * Beyond it the lowest gap is given up: what comes for it then counts as a repetition.
 */
const MAX_GAPS = 100;

/**
 * Adds records.
 * @returns the parts of the range that are new, ascending, and what is covered with them
 */
export function cover(coverage: Coverage, [from, to]: Range): { fresh: Range[]; coverage: Coverage } {
  const { progress, gaps } = coverage;
  if (from === progress + 1) return { fresh: [[from, to]], coverage: { progress: to, gaps } };
  const fresh: Range[] = [];
  const left: Range[] = [];
  for (const gap of gaps) {
    const start = Math.max(gap[0], from);
    const end = Math.min(gap[1], to);
    if (start > end) {
      left.push(gap);
      continue;
    }
    fresh.push([start, end]);
    if (gap[0] < start) left.push([gap[0], start - 1]);
    if (gap[1] > end) left.push([end + 1, gap[1]]);
  }
  if (to > progress) {
    if (from > progress + 1) left.push([progress + 1, from - 1]);
    fresh.push([Math.max(from, progress + 1), to]);
  }
  return { fresh, coverage: { progress: Math.max(progress, to), gaps: left.slice(-MAX_GAPS) } };
}
