/** What `log` selects and how it prints it, on lines whose times are known because a stock client wrote them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { befriend, countLines, type LogEntry, type Machine, network, startAll } from '../helpers/machine.ts';
import { stockAnswer } from '../helpers/stock.ts';

const at = (iso: string) => String(Date.parse(iso));

/** In the order of time, which is not the order of publishing. */
const OLD_LINES: readonly string[][] = [
  ['--text', 'third', '--at', at('2020-01-02T10:00:00Z'), '--source', 'laptop', '--destination', 'nas'],
  ['--text', 'first', '--at', at('2020-01-01T23:30:00Z'), '--source', 'laptop'],
  ['--text', 'second', '--at', at('2020-01-02T03:00:01Z'), '--source', 'vps', '--destination', 'nas'],
];

async function publishOldLines(machine: Machine): Promise<void> {
  for (const line of OLD_LINES) await stockAnswer(machine, 'publish', '--type', 'log', ...line);
}

/** The texts of the selected lines. */
async function texts(machine: Machine, ...filters: string[]): Promise<string[]> {
  return (await machine.entries(...filters)).map((entry) => entry.text);
}

test('log selects', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(nas, laptop);
  await publishOldLines(laptop);
  const piped = await laptop.pipe('Alpha\nERROR beta\ngamma\n', '--job', 'nightly', '--source', 'pc', '--json');
  const { run } = JSON.parse(piped.text) as { run: string };
  await laptop.pipe('a warning\n', '--level', 'warning', '--job', 'hourly', '--source', 'pc');
  await nas.pipe('from the other\n', '--level', 'crit');
  await Promise.all([laptop.waitForLog(8), nas.waitForLog(8)]);

  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'everything, sorted by time',
      [],
      ['first', 'second', 'third', 'Alpha', 'ERROR beta', 'gamma', 'a warning', 'from the other'],
    ],
    ['by source', ['--source', 'vps'], ['second']],
    ['by one source or another', ['--source', 'vps', '--source', 'nas'], ['second', 'from the other']],
    ['by destination', ['--destination', 'nas'], ['second', 'third']],
    ['by source and destination', ['--source', 'laptop', '--destination', 'nas'], ['third']],
    ['by job', ['--job', 'nightly'], ['Alpha', 'ERROR beta', 'gamma']],
    ['by one job or another', ['--job', 'nightly', '--job', 'hourly'], ['Alpha', 'ERROR beta', 'gamma', 'a warning']],
    ['by run', ['--run', run], ['Alpha', 'ERROR beta', 'gamma']],
    ['by machine name', ['--machine', 'nas'], ['from the other']],
    ['by machine id', ['--machine', nas.id], ['from the other']],
    ['by level, or worse', ['--level', 'warning'], ['ERROR beta', 'a warning', 'from the other']],
    ['by level, err and worse', ['--level', 'err'], ['ERROR beta', 'from the other']],
    ['by level under another name', ['--level', 'error'], ['ERROR beta', 'from the other']],
    ['since a day', ['--since', '2020-01-02', '--until', '2020-01-03'], ['second', 'third']],
    ['since a moment', ['--since', '2020-01-02T03:00:02Z', '--until', '2020-01-03'], ['third']],
    ['until a moment', ['--until', '2020-01-02T00:00:00Z'], ['first']],
    ['since two hours', ['--since', '2h'], ['Alpha', 'ERROR beta', 'gamma', 'a warning', 'from the other']],
    ['since yesterday', ['--since', 'yesterday'], ['Alpha', 'ERROR beta', 'gamma', 'a warning', 'from the other']],
    ['until yesterday', ['--until', 'yesterday'], ['first', 'second', 'third']],
    ['by regular expression', ['--grep', '^(Al|ga)'], ['Alpha', 'gamma']],
    ['by regular expression, minding the case', ['--grep', 'alpha'], []],
    ['by regular expression, not minding the case', ['--grep', 'alpha', '-i'], ['Alpha']],
    ['by one expression or another', ['--grep', 'first', '--grep', 'gamma'], ['first', 'gamma']],
    ['the last lines', ['-n', '2'], ['a warning', 'from the other']],
    ['the last of the selected lines', ['-n', '1', '--job', 'nightly'], ['gamma']],
    ['no line', ['-n', '0'], []],
    ['nothing that is not there', ['--source', 'nobody'], []],
  ];
  for (const [what, filters, expected] of table) {
    await t.test(what, async () => assert.deepEqual(await texts(laptop, ...filters), expected));
  }

  await t.test('the same on the other machine, by machine too', async () => {
    assert.deepEqual(await texts(nas, '--machine', 'laptop', '--level', 'warning'), ['ERROR beta', 'a warning']);
  });

  await t.test('the same in a file that assemble writes', async () => {
    const filters = ['--source', 'laptop', '--utc'];
    const { stdout } = await laptop.must('log', ...filters);
    await laptop.must('assemble', ...filters, '-o', laptop.box.path('file.log'));
    assert.deepEqual(readFileSync(laptop.box.path('file.log')), stdout);
  });
});

test('log prints', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await publishOldLines(laptop);
  await laptop.waitForLog(3);

  await t.test('time, source, destination and text, exactly as promised', async () => {
    assert.equal(
      (await laptop.must('log')).text,
      '2020-01-01 23:30:00 [laptop] first\n' +
        '2020-01-02 03:00:01 [vps] -> [nas] second\n' +
        '2020-01-02 10:00:00 [laptop] -> [nas] third\n',
    );
  });

  const inIndia = { env: { TZ: 'Asia/Kolkata' } };
  await t.test('local time', async () => {
    const { text } = await laptop.runWith(inIndia, 'log', '-n', '1');
    assert.equal(text, '2020-01-02 15:30:00 [laptop] -> [nas] third\n');
  });
  await t.test('UTC when asked', async () => {
    const { text } = await laptop.runWith(inIndia, 'log', '-n', '1', '--utc');
    assert.equal(text, '2020-01-02 10:00:00 [laptop] -> [nas] third\n');
  });
  await t.test('a day as the local day', async () => {
    const { text } = await laptop.runWith(inIndia, 'log', '--until', '2020-01-02');
    assert.equal(text, '');
  });

  await t.test('JSON, one object a line, with every field of the contract', async () => {
    const fields = ['at', 'source', 'destination', 'job', 'run', 'line', 'level', 'stream', 'text', 'feed', 'sequence'];
    const byFlag = await laptop.must('log', '--json');
    const byOutput = await laptop.must('log', '--output', 'json');
    assert.equal(byOutput.text, byFlag.text);
    const entries = await laptop.entries();
    assert.equal(countLines(byFlag.stdout), 3);
    for (const entry of entries) assert.deepEqual(Object.keys(entry), fields);
    const last = entries.at(-1) as LogEntry;
    assert.equal(new Date(last.at).getTime(), Date.parse('2020-01-02T10:00:00Z'));
    assert.equal(last.source, 'laptop');
    assert.equal(last.destination, 'nas');
    assert.equal(last.text, 'third');
    assert.equal(last.feed, laptop.id);
    assert.equal(typeof last.sequence, 'number');
  });

  await t.test('CSV, quoted as RFC 4180 wants it', async () => {
    await laptop.pipe('say "hi", you\n', '--source', 'quoter');
    await laptop.waitForLog(1, '--source', 'quoter');
    const { text } = await laptop.must('log', '--output', 'csv', '--source', 'quoter');
    assert.ok(text.includes('"say ""hi"", you"'), text);
    assert.ok(text.includes('quoter'), text);
  });

  await t.test('the numbers of the lines of a run, from 1', async () => {
    const { run } = JSON.parse((await laptop.pipe('a\nb\nc\n', '--source', 'numbered', '--json')).text) as {
      run: string;
    };
    await laptop.waitForLog(3, '--source', 'numbered');
    const entries = await laptop.entries('--source', 'numbered');
    assert.deepEqual(
      entries.map((entry) => [entry.run, entry.line, entry.text]),
      [
        [run, 1, 'a'],
        [run, 2, 'b'],
        [run, 3, 'c'],
      ],
    );
  });
});

test('a line is in the log of its own machine as soon as pipe has returned', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  for (const word of ['one', 'two', 'three']) {
    await laptop.pipe(`${word}\n`);
    assert.match((await laptop.must('log', '-n', '1')).text, new RegExp(`${word}\n$`));
  }
});

test('pipe finds the level of a line in the line, where no flag gives one', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const lines = ['ERROR: no space', '[warn] slow', '<3>from syslog', 'all is well', 'INFO started'];
  await laptop.pipe(`${lines.join('\n')}\n`);
  await laptop.waitForLog(lines.length);
  const levels = (await laptop.entries()).map((entry) => entry.level ?? null);
  assert.deepEqual(levels, ['err', 'warning', 'err', null, 'info']);
});
