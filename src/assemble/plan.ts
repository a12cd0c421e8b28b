/** What of a filter the store's labels decide: which rows to read at all. */

import { levelRank } from '../message/level.ts';
import type { LabelQuery, RunRef, Store } from '../store/store.ts';
import { filtersSeries, type LogFilter, matchesSeries } from './filters.ts';
import type { Lookup } from './lookup.ts';

/** @returns undefined when no row can match */
export function planQuery(store: Store, filter: LogFilter, lookup: Lookup): Omit<LabelQuery, 'order'> | undefined {
  const runs = filter.runs?.flatMap((run) => store.findRuns(run));
  const series = selectSeries(store, filter, { lookup, runs });
  if (runs?.length === 0 || series?.length === 0) return undefined;
  return {
    series,
    runs: runs?.map(({ id }) => id),
    maxRank: filter.minLevel === undefined ? undefined : levelRank(filter.minLevel),
    since: latest(filter.since, runs && Math.min(...runs.map(({ first }) => first))),
    until: earliest(filter.until, runs && Math.max(...runs.map(({ last }) => last))),
  };
}

function selectSeries(
  store: Store,
  filter: LogFilter,
  { lookup, runs }: { lookup: Lookup; runs: readonly RunRef[] | undefined },
): number[] | undefined {
  if (runs === undefined && !filtersSeries(filter)) return undefined;
  const feeds = runs && new Set(runs.map(({ feed }) => feed));
  const selected: number[] = [];
  for (const series of store.allSeries()) {
    if (feeds !== undefined && !feeds.has(series.feed)) continue;
    if (matchesSeries(filter, series, lookup.source(series.source, series.feed))) selected.push(series.id);
  }
  return selected;
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
