/** The files beside the record: a state that survives damage, and a mark outside the directory. */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HighWaterMark, keepMark, readMark } from '../../../../src/peer/own-feed/high-water-mark.ts';
import { placeOf } from '../../../../src/peer/own-feed/place.ts';
import { readOwnFeedState, writeOwnFeedState } from '../../../../src/peer/own-feed/state-file.ts';
import { freshDirectory } from '../../store/fake-feed.ts';

const MARK: HighWaterMark = { feed: '@a/b+c=.ed25519', sequence: 7, key: '%seven', dir: '/home/anna/.ssblog' };

test('a state is read as it was written, by its owner only', (t) => {
  const file = join(freshDirectory(t), 'own-feed.json');
  const state = { place: 'sqlite:1:2', boot: 'b', isClosed: false, isKnown: true } as const;
  writeOwnFeedState(file, state);
  assert.deepEqual(readOwnFeedState(file), state);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a machine without a state has never run', (t) => {
  assert.deepEqual(readOwnFeedState(join(freshDirectory(t), 'none')), { isClosed: true, isKnown: false });
});

for (const damaged of ['', '{"isClosed":tr', '\0\0\0\0', '{"isClosed":"yes","isKnown":true}', 'null']) {
  test(`a damaged state (${JSON.stringify(damaged)}) keeps the machine from writing`, (t) => {
    const file = join(freshDirectory(t), 'own-feed.json');
    writeFileSync(file, damaged);
    assert.equal(readOwnFeedState(file, () => 5).hold?.reason, 'salvaged');
  });
}

test('a mark is kept, in a file of its own for each feed', (t) => {
  const dir = join(freshDirectory(t), 'state', 'ssblog');
  const notices: string[] = [];
  let mark: HighWaterMark | undefined = MARK;
  const keeper = keepMark(dir, { read: () => mark, notice: (text) => notices.push(text) });
  keeper.close();
  assert.deepEqual(readMark(dir, MARK.feed), MARK);
  assert.equal(readMark(dir, '@other'), undefined);
  assert.equal(readdirSync(dir).length, 1);

  mark = undefined;
  keepMark(dir, { read: () => mark, notice: (text) => notices.push(text) }).close();
  assert.deepEqual(readMark(dir, MARK.feed), MARK, 'a feed without messages does not lower it');
  assert.deepEqual(notices, []);
});

test('a mark that cannot be kept is said, one that cannot be read is none', (t) => {
  const file = join(freshDirectory(t), 'in-the-way');
  writeFileSync(file, '');
  const notices: string[] = [];
  keepMark(file, { read: () => MARK, notice: (text) => notices.push(text) }).close();
  assert.match(notices.join(), /cannot keep a mark/);
  assert.equal(readMark(file, MARK.feed), undefined);
});

test('a file that is copied over another, or made anew, has another place', (t) => {
  const dir = freshDirectory(t);
  const [file, copy] = [join(dir, 'file'), join(dir, 'copy')];
  assert.equal(placeOf(file), undefined);
  writeFileSync(file, 'text');
  const before = placeOf(file);
  writeFileSync(file, 'more text', { flag: 'a' });
  assert.equal(placeOf(file), before, 'writing changes nothing');
  copyFileSync(file, copy);
  assert.notEqual(placeOf(copy), before);
  rmSync(file);
  copyFileSync(copy, file);
  assert.notEqual(placeOf(file), before);
});
