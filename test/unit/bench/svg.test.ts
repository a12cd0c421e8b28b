import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figure } from '../../../bench/measurement.ts';
import { assembleMemory, assembleRate } from '../../../bench/metrics.ts';
import { summarise } from '../../../bench/report/summary.ts';
import { escapeXml, picture } from '../../../bench/report/svg.ts';

function race(...of: (readonly [contender: string, value: number])[]): Figure[] {
  return of.map(([contender, value]) => ({ metric: 'a race', contender, unit: 'lines/s', value }));
}

test('what XML reads as its own is escaped', () => {
  assert.equal(escapeXml('<a b="c"> & d'), '&lt;a b=&quot;c&quot;&gt; &amp; d');
});

test('names and caption are escaped where they stand', () => {
  const svg = picture(summarise(race(['ssblog <&>', 2], ['other', 1])), 'CPU & "cores"');
  assert.ok(svg.includes('>ssblog &lt;&amp;&gt;<'));
  assert.ok(svg.includes('>CPU &amp; &quot;cores&quot;<'));
});

test('bars are as long as rates are high, and the slowest still has a mark', () => {
  const svg = picture(summarise(race(['ssblog', 1_000], ['half', 500], ['slow', 0.001])), '');
  const widths = [...svg.matchAll(/class="(?:ours|other)" x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g)].map((match) =>
    Number(match[1]),
  );
  assert.equal(widths.length, 3);
  assert.equal(widths[1], (widths[0] as number) / 2);
  assert.equal(widths[2], 1);
});

test('only rates that several reach have bars', () => {
  const alone: Figure = { metric: 'alone', contender: 'ssblog', unit: 'lines/s', value: 1 };
  const times = ['ssblog', 'other'].map((contender): Figure => ({ metric: 'times', contender, unit: 'ms', value: 1 }));
  assert.doesNotMatch(picture(summarise([alone, ...times]), ''), /class="(ours|other)"/);
});

test('the plots have a point for each size of log', () => {
  const growth = [10_000, 100_000, 1_000_000].flatMap((lines): Figure[] => [
    { metric: assembleRate(lines), contender: 'ssblog', unit: 'lines/s', value: lines / 10 },
    { metric: assembleMemory(lines), contender: 'ssblog', unit: 'MB', value: 80 },
  ]);
  assert.equal(picture(summarise(growth), '').match(/<circle /g)?.length, 6);
  assert.doesNotMatch(picture(summarise(growth.slice(0, 2)), ''), /<circle /);
});
