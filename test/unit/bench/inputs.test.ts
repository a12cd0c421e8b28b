import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateLogs } from '../../../bench/input/generated-logs.ts';
import { Inputs } from '../../../bench/input/inputs.ts';
import { joinLogs, prepareLogs } from '../../../bench/input/logs.ts';
import { sumOfLines } from '../../../bench/peers/sum-of-lines.ts';
import { hashTexts } from '../../helpers/hash-texts.ts';

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-inputs-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** Two logs: one with CR LF and no end to its last line, one with a byte that is not UTF-8. */
function twoLogs(t: TestContext): { dir: string; folder: string } {
  const folder = directory(t);
  writeFileSync(join(folder, 'b.log'), Buffer.from('\xff\n', 'latin1'));
  writeFileSync(join(folder, 'a.log'), 'first\r\nsecond');
  writeFileSync(join(folder, 'README.md'), 'no log\n');
  return { dir: directory(t), folder };
}

test('logs are taken as they are, but for a line feed at the end', (t) => {
  const { dir, folder } = twoLogs(t);
  const logs = prepareLogs(dir, folder);
  assert.deepEqual(
    logs.all.map(({ name, lines, bytes }) => [name, lines, bytes]),
    [
      ['a', 2, 14],
      ['b', 1, 2],
    ],
  );
  const all = joinLogs(join(dir, 'all'), logs.all);
  assert.equal(readFileSync(all.file, 'latin1'), 'first\r\nsecond\n\xff\n');
  assert.deepEqual([all.lines, all.bytes], [3, 16]);
});

test('mixed lines are those of the logs again and again, each with its number', async (t) => {
  const { dir, folder } = twoLogs(t);
  const inputs = new Inputs(dir, prepareLogs(dir, folder));
  const { file, lines } = await inputs.get('mixed', 4, 2);
  assert.equal(readFileSync(file, 'latin1'), '\xff 2\nfirst 3\nsecond 4\n\xff 5\n');
  assert.equal(lines, 4);
});

test('a large input is the same when it is made in parts', async (t) => {
  const { dir, folder } = twoLogs(t);
  const inputs = new Inputs(dir, prepareLogs(dir, folder));
  const whole = await inputs.get('regular', 12_000);
  const parts = [await inputs.get('regular', 7_000), await inputs.get('regular', 5_000, 7_000)];
  assert.deepEqual(await hashTexts([whole.file]), await hashTexts(parts.map(({ file }) => file)));
});

test('a folder without logs is refused', (t) => {
  assert.throws(() => prepareLogs(directory(t), directory(t)), /no \*\.log/);
});

test('generated logs are the same every time', () => {
  const logs = generateLogs();
  assert.deepEqual(generateLogs(), logs);
  assert.equal(logs.size, 7);
  for (const [name, lines] of logs) {
    assert.equal(lines.length, 2_000, name);
    assert.ok(lines.every((line) => line !== '' && !line.includes('\n')));
  }
});

test('a sum of lines does not depend on their order, but on each of them', async (t) => {
  const dir = directory(t);
  const sumOf = (text: string, prefixBytes = 0) => {
    writeFileSync(join(dir, 'lines'), text);
    return sumOfLines(join(dir, 'lines'), { prefixBytes });
  };
  const sum = await sumOf('a\nb\nc\n');
  assert.equal(await sumOf('c\na\nb\n'), sum);
  assert.equal(await sumOf('> c\n> a\n> b\n', 2), sum);
  assert.notEqual(await sumOf('a\nb\nd\n'), sum);
  assert.notEqual(await sumOf('a\nb\nc\nc\n'), sum);
});

test('texts are compared without what stands before them', async (t) => {
  const file = join(directory(t), 'log');
  writeFileSync(file, '[x] marker\n[x] one\n[x] two\n');
  const expected = join(directory(t), 'texts');
  writeFileSync(expected, 'one\ntwo\n');
  assert.deepEqual(await hashTexts([file], { prefixBytes: 4, skipLines: 1 }), await hashTexts([expected]));
  writeFileSync(expected, 'one\ntwo');
  await assert.rejects(hashTexts([expected]), /does not end/);
});
