import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Found, startState } from '../../../../src/peer/own-feed/start-state.ts';

const MARK = { feed: '@me', sequence: 10, key: '%ten', dir: '/elsewhere' };

const USUAL: Found = {
  state: { place: 'sqlite:1:100', boot: 'b1', isClosed: true, isKnown: true },
  place: 'sqlite:1:100',
  boot: 'b1',
  head: 10,
  keyAtMark: '%ten',
  mark: MARK,
  hasOthers: true,
  noCatchUp: false,
  nowMs: 5,
};

const HELD = { reason: 'behind', sinceMs: 1, atLeast: 12 } as const;

const CASES: readonly [what: string, change: Partial<Found>, reason: string | undefined][] = [
  ['nothing has changed', {}, undefined],
  ['the feed went on after the mark', { head: 12 }, undefined],
  ['the mark is ahead', { head: 9, keyAtMark: undefined }, 'mark'],
  ['the mark names another message', { keyAtMark: '%other' }, 'forked'],
  ['there is no mark', { mark: undefined, keyAtMark: undefined }, undefined],
  ['the record is another file', { place: 'sqlite:2:100' }, 'copied'],
  ['a file with the same number was made at another time', { place: 'sqlite:1:200' }, 'copied'],
  ['the feeds were taken over by another engine', { place: 'ssb-server:7:70' }, undefined],
  ['the record was killed, the computer runs on', { state: { ...USUAL.state, isClosed: false } }, undefined],
  ['the computer stopped while it was open', { state: { ...USUAL.state, isClosed: false }, boot: 'b2' }, 'crash'],
  ['the computer stopped after it was closed', { boot: 'b2' }, undefined],
  ['it is held already', { state: { ...USUAL.state, hold: HELD } }, 'behind'],
  ['it is held, and the user knows better', { state: { ...USUAL.state, hold: HELD }, noCatchUp: true }, undefined],
  [
    'it was copied before any other machine was known',
    { state: { ...USUAL.state, isKnown: false }, hasOthers: false, place: 'sqlite:2:100' },
    undefined,
  ],
  [
    'it was copied and only follows somebody',
    { state: { ...USUAL.state, isKnown: false }, place: 'sqlite:2:100' },
    'copied',
  ],
  [
    'it was salvaged, and no other machine was ever known',
    { state: { isClosed: true, isKnown: false, hold: { ...HELD, reason: 'salvaged' } }, hasOthers: false },
    undefined,
  ],
  ['it was salvaged', { state: { ...USUAL.state, hold: { ...HELD, reason: 'salvaged' } } }, 'salvaged'],
  ['it has never run', { state: { isClosed: true, isKnown: false }, mark: undefined, hasOthers: false }, undefined],
];

for (const [what, change, reason] of CASES) {
  test(`${what}: ${reason ?? 'it writes'}`, () => {
    const found = { ...USUAL, ...change };
    const state = startState(found);
    assert.equal(state.hold?.reason, reason);
    assert.equal(state.isClosed, false, 'it is open now');
    assert.equal(state.place, found.place);
    assert.equal(state.boot, found.boot);
  });
}

test('who is behind its mark must reach it', () => {
  assert.equal(startState({ ...USUAL, head: 3, keyAtMark: undefined }).hold?.atLeast, 10);
});
