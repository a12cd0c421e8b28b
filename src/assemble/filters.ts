/** Which lines a reader wants. Several values of one kind mean "or", several kinds mean "and". Pure. */
import { type Level, levelRank } from '../message/level.ts';
import type { Series } from '../store/store.ts';
import { type LogLine, lineText } from './log-line.ts';

export interface LogFilter {
  /** As they are shown: a machine's name counts where the message has no source. */
  readonly sources?: readonly string[];
  readonly destinations?: readonly string[];
  readonly jobs?: readonly string[];
  readonly runs?: readonly string[];
  /** Feed ids. */
  readonly feeds?: readonly string[];
  /** This level or worse; lines without a level are then left out. */
  readonly minLevel?: Level;
  /** First and last time that counts: milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Of the line's text. */
  readonly grep?: readonly RegExp[];
}

/** Whether the filter asks for some series only. */
export function filtersSeries({ sources, destinations, jobs, feeds }: LogFilter): boolean {
  return [sources, destinations, jobs, feeds].some((wanted) => wanted !== undefined);
}

/** @param source what is shown as the series' source */
export function matchesSeries(filter: LogFilter, series: Series, source: string): boolean {
  return (
    isAmong(filter.feeds, series.feed) &&
    isAmong(filter.sources, source) &&
    isAmong(filter.destinations, series.destination) &&
    isAmong(filter.jobs, series.job)
  );
}

function isAmong(wanted: readonly string[] | undefined, value: string | undefined): boolean {
  return wanted === undefined || (value !== undefined && wanted.includes(value));
}

/** The test of a single line, for what its labels do not decide; undefined when they decide everything. */
export function lineTest(filter: LogFilter): ((line: LogLine) => boolean) | undefined {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, minLevel, grep } = filter;
  const tests: ((line: LogLine) => boolean)[] = [];
  if (filter.since !== undefined || filter.until !== undefined) tests.push(({ at }) => at >= since && at <= until);
  if (minLevel !== undefined) {
    const maxRank = levelRank(minLevel);
    tests.push(({ level }) => level !== undefined && levelRank(level) <= maxRank);
  }
  if (grep !== undefined) {
    // With the flags g or y a RegExp would go on where its last match ended.
    const patterns = grep.map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, '')));
    tests.push((line) => {
      const text = lineText(line);
      return patterns.some((pattern) => pattern.test(text));
    });
  }
  if (tests.length === 0) return undefined;
  return (line) => tests.every((test) => test(line));
}
