import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkCombined } from '../../../bench/machines/machine.ts';

const PREFIX = '2026-11-22 03:00:01 [laptop] ';

function check(t: TestContext, combined: readonly string[], ...inputs: (readonly string[])[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-check-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const write = (name: string, lines: readonly string[]) => {
    writeFileSync(join(dir, name), lines.map((line) => `${line}\n`).join(''));
    return { file: join(dir, name), lines: lines.length, bytes: 0 };
  };
  const files = inputs.map((lines, index) => write(`input-${index}`, lines));
  return checkCombined(write('combined', combined).file, files, 'laptop');
}

test('a combined log is right when its texts are the inputs, one after the other', async (t) => {
  await check(t, [`${PREFIX}one`, `${PREFIX}two`, `${PREFIX}three`], ['one', 'two'], ['three']);
});

test('a combined log is wrong when a line is missing, twice there, changed, or elsewhere', async (t) => {
  for (const combined of [['one'], ['one', 'two', 'two'], ['one', 'too'], ['two', 'one']]) {
    await assert.rejects(
      check(
        t,
        combined.map((text) => PREFIX + text),
        ['one', 'two'],
      ),
      /lines instead of|other texts/,
    );
  }
});

test('a combined log is wrong when its first or last line does not begin as the contract says', async (t) => {
  const [good, bad] = [`${PREFIX}text`, `${PREFIX.replace('laptop', 'lapdog')}text`];
  for (const combined of [
    [bad, good],
    [good, bad],
  ]) {
    await assert.rejects(check(t, combined, ['text', 'text']), /does not begin/);
  }
});
