import assert from 'node:assert/strict';
import type { BigIntStats } from 'node:fs';
import { test } from 'node:test';
import { type LogLine, LogLines } from '../../../src/assemble/lines.ts';
import { BEGINNING, type Change, changeOf, isAsWritten, Tally } from '../../../src/assemble/written.ts';

const MEBIBYTE = 1024 * 1024;
const STATS = { ino: 7n, size: 100n, mtimeNs: 1n } as BigIntStats;

function line(at: number, number = 1, feed = '@b'): LogLine {
  const none = { destination: undefined, job: undefined, level: undefined, stream: undefined };
  return { at, source: 's', run: 'r', line: number, bytes: Buffer.alloc(0), feed, sequence: number, ...none };
}

/** A file of some batches, each of one line at the given time, and of so many bytes. */
function fileOf(batches: readonly (readonly [at: number, bytes: number])[]): Tally {
  const tally = new Tally();
  batches.forEach(([at, bytes], index) => {
    tally.add(LogLines.of([line(at, index + 1)]), bytes);
  });
  return tally;
}

test('what a new line changes depends on where it stands', () => {
  const written = fileOf([
    [1000, 2 * MEBIBYTE],
    [2000, 2 * MEBIBYTE],
    [3000, 10],
  ]).written(STATS);
  const known = { written, row: 1 };
  const [second, third] = [
    { at: 2000, bytes: 2 * MEBIBYTE, lines: 1 },
    { at: 3000, bytes: 4 * MEBIBYTE, lines: 2 },
  ];
  const cases: readonly [what: string, line: LogLine, change: Change][] = [
    ['later', line(3001), 'end'],
    ['of the same time, by its number', line(3000, 4), 'end'],
    ['of the same time, by its feed', line(3000, 1, '@c'), 'end'],
    ['of the same time, but of an earlier feed', line(3000, 9, '@a'), third],
    ['of the same time, but of an earlier number', line(3000, 1), third],
    ['just before', line(2999), second],
    ['in the midst', line(2000), second],
    ['near the beginning', line(1999), BEGINNING],
    ['before all', line(1), BEGINNING],
  ];
  for (const [what, { at, feed, line: number = 0, sequence }, change] of cases)
    assert.deepEqual(changeOf(known, { at, feed, run: 'r', line: number, sequence }, undefined), change, what);
});

test('a line that grew is written again, whatever comes after it', () => {
  const written = fileOf([
    [1000, 2 * MEBIBYTE],
    [2000, 10],
  ]).written(STATS);
  const known = { written, row: 1 };
  const later = { at: 5000, feed: '@b', run: 'r', line: 9, sequence: 9 };
  assert.equal(changeOf(known, later, undefined), 'end');
  assert.equal(changeOf(known, undefined, undefined), 'none');
  assert.equal(changeOf(known, later, 1500), BEGINNING);
  assert.deepEqual(changeOf(known, undefined, 2000), written.marks[0]);
});

test('there is no mark between lines of one time', () => {
  const { marks } = fileOf([
    [1000, 2 * MEBIBYTE],
    [1000, 2 * MEBIBYTE],
    [1001, 10],
  ]).written(STATS);
  assert.deepEqual(marks, [{ at: 1001, bytes: 4 * MEBIBYTE, lines: 2 }]);
});

test('marks are few however large the file is, and lie all over it', () => {
  const tally = new Tally();
  for (let index = 1; index <= 5000; index += 1) tally.add(LogLines.of([line(index, index)]), MEBIBYTE);
  const { marks, lines, bytes } = tally.written(STATS);
  assert.equal(lines, 5000);
  assert.ok(marks.length >= 32 && marks.length < 64, `${marks.length} marks`);
  const places = [0, ...marks.map((mark) => mark.bytes), bytes];
  const widest = Math.max(...places.slice(1).map((place, index) => place - (places[index] ?? 0)));
  assert.ok(widest <= bytes / 16, `${widest} bytes without a mark`);
  for (const mark of marks) assert.equal(mark.bytes, (mark.at - 1) * MEBIBYTE);
});

test('a file that goes on from a mark is as one that was written at once', () => {
  const batches = Array.from({ length: 300 }, (_, index) => [index, MEBIBYTE] as const);
  const written = fileOf(batches).written(STATS);
  const mark = written.marks[7] ?? BEGINNING;
  const again = new Tally(written, mark);
  batches.slice(mark.lines).forEach(([at, bytes], index) => {
    again.add(LogLines.of([line(at, mark.lines + index + 1)]), bytes);
  });
  assert.deepEqual(again.written(STATS), written);
});

test('of too many unfinished lines none is remembered: the file counts as another one', () => {
  const tally = fileOf([[1, 100]]);
  for (let index = 0; index < 1000; index += 1) tally.addUnfinished({ at: 1, run: index, next: 2 });
  assert.ok(isAsWritten(tally.written(STATS), STATS));
  tally.addUnfinished({ at: 1, run: 1000, next: 2 });
  assert.ok(!isAsWritten(tally.written(STATS), STATS));
});
