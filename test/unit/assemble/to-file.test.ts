import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assembleToFile } from '../../../src/assemble/to-file.ts';
import { SsblogError } from '../../../src/errors.ts';
import { block, FakeFeed, freshDirectory, freshStore } from '../store/fake-feed.ts';

const TEXT = '2026-11-22 03:00:00 [laptop] -> [nas] one\n2026-11-22 03:00:00 [laptop] -> [nas] two\n';
const UTC = { format: { utc: true } };

function storeOfTwoLines(t: Parameters<typeof freshStore>[0]) {
  const store = freshStore(t);
  store.ingest([new FakeFeed('a').message(block(1, ['one', 'two']))]);
  return store;
}

test('the log is written into a file that only its owner can read', async (t) => {
  const directory = freshDirectory(t);
  const file = join(directory, 'all.log');
  const progress: number[] = [];
  const onProgress = (lines: number) => progress.push(lines);
  const { lines, ms } = await assembleToFile(storeOfTwoLines(t), {}, file, { ...UTC, onProgress });
  assert.equal(lines, 2);
  assert.ok(Number.isInteger(ms) && ms >= 0);
  assert.deepEqual(progress, [2]);
  assert.equal(readFileSync(file, 'utf8'), TEXT);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['all.log'], 'nothing is left beside it');
});

test('a file that is there is replaced', async (t) => {
  const file = join(freshDirectory(t), 'all.log');
  writeFileSync(file, 'what was there before');
  await assembleToFile(storeOfTwoLines(t), { grep: [/two/] }, file, UTC);
  assert.equal(readFileSync(file, 'utf8'), TEXT.split('\n').slice(1).join('\n'));
});

test('a log without lines is an empty file, in CSV a header', async (t) => {
  const file = join(freshDirectory(t), 'all.log');
  assert.equal((await assembleToFile(freshStore(t), {}, file)).lines, 0);
  assert.equal(readFileSync(file, 'utf8'), '');
  await assembleToFile(freshStore(t), {}, file, { format: { output: 'csv' } });
  assert.match(readFileSync(file, 'utf8'), /^at,source,.*\r\n$/);
});

test('a link stays, and the file that it points to is replaced', async (t) => {
  const directory = freshDirectory(t);
  const [file, link] = [join(directory, 'all.log'), join(directory, 'link.log')];
  writeFileSync(file, '');
  symlinkSync(file, link);
  await assembleToFile(storeOfTwoLines(t), {}, link, UTC);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(file, 'utf8'), TEXT);
});

test('what is no file is not replaced', async (t) => {
  const store = storeOfTwoLines(t);
  const directory = freshDirectory(t);
  for (const target of ['/dev/null', directory]) {
    await assert.rejects(
      assembleToFile(store, {}, target),
      (error) => error instanceof SsblogError && error.code === 'usage' && error.message.includes(target),
    );
  }
  assert.ok(statSync('/dev/null').isCharacterDevice());
});

test('a directory that is missing is an error of the disk', async (t) => {
  const file = join(freshDirectory(t), 'no', 'such', 'all.log');
  await assert.rejects(
    assembleToFile(storeOfTwoLines(t), {}, file),
    (error) => error instanceof SsblogError && error.code === 'io' && error.message.includes(file),
  );
});

test('when reading fails the old file stays and nothing is left beside it', async (t) => {
  const directory = join(freshDirectory(t), 'out');
  mkdirSync(directory);
  const file = join(directory, 'all.log');
  writeFileSync(file, 'old');
  const signal = AbortSignal.abort(new Error('stopped'));
  await assert.rejects(assembleToFile(storeOfTwoLines(t), {}, file, { read: { signal } }), /stopped/);
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(directory), ['all.log']);
  assert.equal(existsSync(file), true);
});
