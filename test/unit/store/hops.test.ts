import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopsFrom } from '../../../src/store/hops.ts';
import type { Contact } from '../../../src/store/store.ts';

function follow(from: string, to: string): Contact {
  return { from, to, following: true, blocking: false };
}

const CHAIN = [follow('self', 'a'), follow('a', 'b'), follow('b', 'c'), follow('self', 'b')];

test('hops are the shortest way along follows', () => {
  assert.deepEqual(
    hopsFrom('self', CHAIN, 3),
    new Map([
      ['self', 0],
      ['a', 1],
      ['b', 1],
      ['c', 2],
    ]),
  );
});

test('hops end at the maximum', () => {
  assert.deepEqual([...hopsFrom('self', CHAIN, 1).keys()], ['self', 'a', 'b']);
  assert.deepEqual([...hopsFrom('self', CHAIN, 0).keys()], ['self']);
});

test('whom this machine blocks is left out and passes nothing on', () => {
  const block: Contact = { from: 'self', to: 'b', following: false, blocking: true };
  assert.deepEqual(
    [...hopsFrom('self', [follow('self', 'a'), follow('a', 'b'), follow('b', 'c'), block], 3).keys()],
    ['self', 'a'],
  );
});

test('whom others block counts all the same', () => {
  const block: Contact = { from: 'a', to: 'b', following: false, blocking: true };
  assert.equal(hopsFrom('self', [follow('self', 'a'), follow('self', 'b'), block], 2).get('b'), 1);
});

test('a circle of follows ends', () => {
  assert.deepEqual([...hopsFrom('self', [follow('self', 'a'), follow('a', 'self')], 5).keys()], ['self', 'a']);
});
