import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Level, levelRank } from '../../../src/message/level.ts';
import { openStore } from '../../../src/store/open.ts';
import type { LabelQuery, LabelRow, Store } from '../../../src/store/store.ts';
import { block, FakeFeed, log, START_MS } from './fake-feed.ts';

let store: Store;
let all: LabelRow[];
const directory = mkdtempSync(join(tmpdir(), 'ssblog-labels-'));

/** 40 series of 5 feeds; lines and blocks, some of them long in time; more rows than fit in one page. */
before(() => {
  store = openStore(join(directory, 'store.db'));
  const feeds = ['a', 'b', 'c', 'd', 'e'].map((name) => new FakeFeed(name));
  const levels: (Level | undefined)[] = [undefined, 'err', 'info'];
  const messages = [];
  for (let index = 0; index < 4000; index += 1) {
    const feed = feeds[index % feeds.length] ?? assert.fail();
    const labels = { run: `run-${index % 7}-${index}`, source: `source-${index % 40}` };
    const at = START_MS + ((index * 7919) % 20_000);
    const level = levels[index % levels.length];
    const long = index % 50 === 0 ? 5000 : 20;
    const content =
      index % 4 === 0
        ? block(
            1,
            [
              { at, level },
              { at: at + long, level },
            ],
            labels,
          )
        : log(1, { at, level }, labels);
    messages.push(feed.message(content));
  }
  store.ingest(messages);
  all = [...store.labels({ order: 'ascending' })];
});

after(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

function matches(row: LabelRow, query: Partial<LabelQuery>): boolean {
  const { since = 0, until = Number.MAX_SAFE_INTEGER, series, runs, maxRank, afterRow = 0 } = query;
  return (
    row.last >= since &&
    row.first <= until &&
    row.id > afterRow &&
    row.id <= (query.upToRow ?? Number.MAX_SAFE_INTEGER) &&
    (series?.includes(row.series) ?? true) &&
    (runs?.includes(row.run ?? 0) ?? true) &&
    (maxRank === undefined || (row.level !== null && row.level <= maxRank))
  );
}

const QUERIES: readonly { title: string; query: Omit<LabelQuery, 'order'> }[] = [
  { title: 'everything', query: {} },
  { title: 'a time on', query: { since: START_MS + 12_345 } },
  { title: 'up to a time', query: { until: START_MS + 4321 } },
  { title: 'between two times', query: { since: START_MS + 7000, until: START_MS + 7500 } },
  { title: 'one series', query: { series: [3] } },
  {
    title: 'a few series in a span of time',
    query: { series: [3, 4, 11], since: START_MS + 500, until: START_MS + 9000 },
  },
  { title: 'many series', query: { series: Array.from({ length: 30 }, (_, index) => index + 1) } },
  { title: 'no series', query: { series: [] } },
  { title: 'some runs', query: { runs: [1, 5, 1000] } },
  { title: 'a level', query: { maxRank: levelRank('warning') } },
  { title: 'all of these', query: { series: [3, 4], runs: [3, 4, 43, 44, 83], maxRank: 6, since: START_MS } },
  { title: 'what arrived after a row', query: { afterRow: 3500 } },
  { title: 'what arrived up to a row', query: { upToRow: 700, since: START_MS + 900 } },
  { title: 'a time before everything', query: { until: 5 } },
];

for (const { title, query } of QUERIES) {
  for (const order of ['ascending', 'descending'] as const) {
    test(`labels of ${title} come ${order} by time`, () => {
      const found = [...store.labels({ ...query, order })];
      const expected = all.filter((row) => matches(row, query));
      assert.deepEqual(
        found.map(({ id }) => id).sort((a, b) => a - b),
        expected.map(({ id }) => id).sort((a, b) => a - b),
      );
      const times = found.map(({ first, last }) => (order === 'ascending' ? first : -last));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    });
  }
}

test('all labels are found once', () => {
  assert.equal(all.length, 4000);
  assert.equal(new Set(all.map(({ id }) => id)).size, 4000);
  assert.equal(all.filter(({ last, first }) => last > first).length, 1000);
});

test('labels after a row go on where that row was', () => {
  const row = all[2000] ?? assert.fail();
  const found = [...store.labels({ order: 'ascending', after: row })];
  assert.deepEqual(found, all.slice(2001));
});

test('rows of one record bring their message with them', () => {
  for (const row of all.slice(0, 100)) {
    if (row.lines === 1) assert.equal(row.value, store.value(row.message)?.text);
    else assert.equal(row.value, null);
  }
});

test('rows that arrive while labels are read are left out', () => {
  const feed = new FakeFeed('late');
  const rows = store.labels({ order: 'ascending' });
  rows.next();
  store.ingest([feed.message(log(1, { at: START_MS + 19_999 }, { run: 'late', source: 'late' }))]);
  assert.equal([...rows].length, 3999);
});
