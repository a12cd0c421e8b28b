import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEVELS } from '../../../src/message/level.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import { levelOfSymbol, levelSymbol, RecordList, streamOfSymbol } from '../../../src/message/record-list.ts';
import { type Random, randomLine, seededRandom } from '../../helpers/random.ts';
import { eachLine, rawLines } from '../../helpers/raw-lines.ts';

const STREAMS = [undefined, 'stdout', 'stderr'] as const;

/** What the list says of its first records, beside what the records themselves say. */
function check(list: RecordList, records: readonly LogRecord[], count: number): void {
  const first = records.slice(0, count);
  assert.equal(list.length, records.length);
  const body = first.map(({ bytes }) => `${bytes.toString('latin1')}\n`).join('');
  assert.equal(list.bytes(count), body.length);
  assert.equal(list.payload('head', count).toString('latin1'), `head\n${body}`);
  const levels = Buffer.from(list.levels(count), 'latin1');
  assert.deepEqual(
    [...levels].map(levelOfSymbol),
    first.map(({ level }) => level),
  );
  assert.deepEqual(
    [...Buffer.from(list.streams(count), 'latin1')].map(streamOfSymbol),
    first.map(({ stream }) => stream),
  );
  const times = list.times(count).flatMap(({ at, records: some }) => Array<number>(some).fill(at));
  assert.deepEqual(
    times,
    first.map(({ at }) => at),
  );
  assert.deepEqual(
    list.more(count),
    [...first.keys()].filter((index) => first[index]?.more),
  );
  if (records[0] !== undefined) assert.equal(list.line, records[0].line);
  assert.deepEqual([...list], records);
  for (const index of first.keys()) {
    assert.equal(list.at(index), first[index]?.at);
    assert.equal(list.goesOn(index), first[index]?.more);
    const later = records.findIndex(({ at }, other) => other > index && at !== first[index]?.at);
    assert.equal(list.endOfTime(index), later === -1 ? records.length : later);
  }
  const from = count >> 1;
  assert.equal(
    list.goesOnWithin(from, count),
    first.slice(from).some(({ more }) => more),
  );
  const text = first.slice(from).map(({ bytes }) => `> ${bytes.toString('latin1')}\n`);
  const target = Buffer.alloc(3 + text.join('').length);
  assert.equal(list.write(target, 3, { from, to: count, prefix: Buffer.from('> ') }), target.length);
  assert.equal(target.toString('latin1'), `\0\0\0${text.join('')}`);
  for (const index of records.keys()) assert.deepEqual(list.record(index), records[index]);
}

function addRandomLines(random: Random, list: RecordList, records: LogRecord[], line: number, at: number): void {
  const lines = rawLines(
    Array.from({ length: 1 + random.below(40) }, () => randomLine(random, 100)),
    at,
  );
  const stream = random.pick(STREAMS);
  const levels = lines.ends.map(() => random.pick([undefined, ...LEVELS]));
  const from = random.below(lines.ends.length);
  const to = from + 1 + random.below(lines.ends.length - from);
  const stretch = { ...lines, stream, more: to === 1 && lines.ends.length === 1 && random.below(2) === 0 };
  list.addLines(stretch, { line, from, to, levels: levels.map(levelSymbol) });
  const added = eachLine([lines]).slice(from, to);
  records.push(
    ...added.map(({ bytes }, index) => ({
      line: line + index,
      at,
      bytes,
      level: levels[from + index],
      stream,
      more: stretch.more,
    })),
  );
}

test('whatever is added and dropped, the list says what the records are', () => {
  const random = seededRandom(12);
  for (let round = 0; round < 60; round += 1) {
    const list = new RecordList();
    const records: LogRecord[] = [];
    let line = 1 + random.below(1000);
    let at = 1000;
    for (let step = 0; step < 60; step += 1) {
      at += random.pick([0, 0, 1, 500]);
      const action = random.pick(['drop', 'add', 'add lines']);
      if (action === 'drop') {
        const count = random.below(records.length + 1);
        list.drop(count);
        records.splice(0, count);
      } else if (action === 'add') {
        const [level, stream] = [random.pick([undefined, ...LEVELS]), random.pick(STREAMS)];
        const bytes = randomLine(random, 9000);
        const record = { line, at, bytes, level, stream, more: random.below(4) === 0 };
        list.add(record);
        records.push(record);
        line += 1;
      } else {
        const before = records.length;
        addRandomLines(random, list, records, line, at);
        line += records.length - before;
      }
      check(list, records, random.below(records.length + 1));
    }
    check(list, records, records.length);
  }
});

test('it tells how many records take so many bytes', () => {
  const list = new RecordList();
  const lines = rawLines(['a', '', 'bcd']);
  list.addLines({ ...lines, stream: undefined }, { line: 1, from: 0, to: 3, levels: [45, 45, 45] });
  assert.deepEqual(
    [0, 1.9, 2, 3, 6, 7, 100].map((bytes) => list.countWithin(bytes)),
    [0, 0, 1, 2, 2, 3, 3],
  );
});

test('a list of one may hold newlines', () => {
  const record = { line: 7, at: 5, bytes: Buffer.from('a\nb'), level: 'err', stream: 'stderr', more: true } as const;
  const list = RecordList.alone(record);
  check(list, [record], 0);
  assert.deepEqual([...list], [record]);
  const target = Buffer.alloc(6);
  list.write(target, 0, { from: 0, to: 1, prefix: Buffer.from('> ') });
  assert.equal(target.toString(), '> a\nb\n');
});

test('there is no record beyond the last one', () => {
  assert.throws(() => new RecordList().record(0), /no record 0/);
});

test('of a list that was freed nothing can be read', () => {
  const other = { at: 5, bytes: Buffer.from('x'), level: undefined, stream: undefined, more: false };
  const list = RecordList.of([1, 2].map((line) => ({ line, ...other })));
  assert.equal(list.text(1).toString(), 'x');
  list.free();
  assert.equal(list.length, 0);
  assert.throws(() => list.record(0), /no record/);
  assert.throws(() => list.text(1), /no record/);
  assert.throws(() => list.at(0), /no record/);
  assert.throws(() => list.endOfTime(0), /no record/);
  assert.throws(() => list.write(Buffer.alloc(100), 0, { from: 0, to: 2, prefix: Buffer.alloc(1) }), /no record/);
});

test('a sample has pieces from all over the records, or all of few', () => {
  const texts = Array.from({ length: 1_000 }, (_, index) => String(index).padStart(9, '0'));
  const listOf = (some: string[]) =>
    RecordList.of(
      some.map((text, index) => ({
        line: 1 + index,
        at: 1000,
        bytes: Buffer.from(text),
        level: undefined,
        stream: undefined,
        more: false,
      })),
    );
  const few = texts.slice(0, 20);
  assert.equal(listOf(few).sample(4, 50).toString(), few.map((text) => `${text}\n`).join(''));
  const sample = listOf(texts).sample(4, 50).toString();
  assert.equal(sample.length, 200);
  // The middles of four quarters of 10,000 bytes.
  for (const number of [125, 375, 625, 875]) assert.ok(sample.includes(texts[number] as string), sample);
});
