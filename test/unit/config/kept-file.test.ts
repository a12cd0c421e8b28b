import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { readKept, writeKept } from '../../../src/config/kept-file.ts';
import { readReceipts } from '../../../src/peer/receipts.ts';
import { freshDirectory } from '../store/fake-feed.ts';

const schema = z.object({ count: z.number() });
const DAMAGED = ['', '{"count":', '\0\0', 'null', '{"count":"one"}'];

test('what is written is read, by its owner only, and nothing is left beside it', (t) => {
  const dir = freshDirectory(t);
  const file = join(dir, 'kept.json');
  writeKept(file, { count: 1 });
  writeKept(file, { count: 2 });
  assert.deepEqual(readKept(file, schema, { empty: { count: 0 }, damaged: 'hint' }), { count: 2 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dir), ['kept.json']);
});

test('where there is no file, what is said for that counts', (t) => {
  const file = join(freshDirectory(t), 'none');
  assert.deepEqual(readKept(file, schema, { empty: { count: 0 }, damaged: 'hint' }), { count: 0 });
});

for (const text of DAMAGED) {
  test(`a damaged file (${JSON.stringify(text)}) is refused with a way out, or counts as what is said for that`, (t) => {
    const file = join(freshDirectory(t), 'kept.json');
    writeFileSync(file, text);
    const empty = { count: 0 };
    assert.throws(() => readKept(file, schema, { empty, damaged: 'remove it' }), {
      code: 'config',
      message: `${file} is damaged`,
      hint: 'remove it',
    });
    assert.deepEqual(readKept(file, schema, { empty, damaged: () => ({ count: 7 }) }), { count: 7 });
  });
}

test('a file that cannot be read or written is said to be, not taken for none', (t) => {
  const dir = freshDirectory(t);
  assert.throws(() => readKept(dir, schema, { empty: { count: 0 }, damaged: 'hint' }), { code: 'io' });
  assert.throws(() => writeKept(join(dir, 'none', 'kept.json'), {}), { code: 'io' });
});

test('damaged receipts count as none: they are heard anew', (t) => {
  const file = join(freshDirectory(t), 'receipts.json');
  writeFileSync(file, '{"@a":');
  assert.deepEqual(readReceipts(file), new Map());
});
