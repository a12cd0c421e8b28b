import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readExitFile } from '../../../src/run/exit-file.ts';

const { signal } = new AbortController();

test('an exit file is read when it is filled, and what it should not hold is told', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'exit');
  const read = (patienceMs = 0) => readExitFile(file, { started: Date.now(), signal, patienceMs });
  assert.match((await read()).problem ?? '', /holds no exit code/);
  writeFileSync(file, '');
  assert.match((await read()).problem ?? '', /holds no exit code/);
  const filled = read(60_000);
  writeFileSync(file, '3\n');
  assert.deepEqual(await filled, { exit: 3 });
  writeFileSync(file, '255');
  assert.deepEqual(await read(), { exit: 255 });
  for (const text of ['256\n', '-1\n', 'x\n', '1 2\n', ' \n']) {
    writeFileSync(file, text);
    assert.match((await read()).problem ?? '', /is no exit code/, text);
  }
  writeFileSync(file, 'x'.repeat(100));
  assert.match((await read()).problem ?? '', /more than an exit code/);
  writeFileSync(file, '0\n');
  utimesSync(file, 1, 1);
  assert.match((await read()).problem ?? '', /before this run/);
  assert.match((await readExitFile(dir, { started: 0, signal })).problem ?? '', /no file/);
});
