import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keyring } from '../../../../src/peer/rekey/keyring.ts';

const ID = '@nas';

test('old keys are accepted until their time is over, the current one first', () => {
  const clock = { ms: 0 };
  const keyring = new Keyring(
    'new',
    [
      { key: 'old', untilMs: 100 },
      { key: 'older', untilMs: 50 },
    ],
    () => clock.ms,
  );
  assert.deepEqual(keyring.accepted(), ['new', 'old', 'older']);
  clock.ms = 50;
  assert.deepEqual(keyring.accepted(), ['new', 'old']);
  clock.ms = 100;
  assert.deepEqual(keyring.accepted(), ['new']);
  keyring.set('newer', [{ key: 'new', untilMs: 200 }]);
  assert.equal(keyring.current, 'newer');
  assert.deepEqual(keyring.accepted(), ['newer', 'new']);
});

test('a machine that refuses a key is dialled with the next one, and then with the first again', () => {
  const keyring = new Keyring(
    'new',
    [
      { key: 'old', untilMs: 100 },
      { key: 'older', untilMs: 100 },
    ],
    () => 0,
  );
  const dialled: string[] = [];
  for (let dial = 0; dial < 4; dial += 1) {
    const key = keyring.forDial(ID, true);
    dialled.push(key);
    keyring.refused(ID, key, true);
  }
  assert.deepEqual(dialled, ['new', 'old', 'older', 'new']);
  assert.equal(keyring.refusals(ID), 1);
  keyring.reached(ID);
  assert.equal(keyring.forDial(ID, true), 'new');
  assert.equal(keyring.refusals(ID), 0);
});

test('who must not be met under an old key is dialled with the current one only', () => {
  const keyring = new Keyring('new', [{ key: 'old', untilMs: 100 }], () => 0);
  keyring.refused(ID, 'new', true);
  assert.equal(keyring.forDial(ID, false), 'new');
  keyring.refused(ID, 'new', false);
  assert.equal(keyring.refusals(ID), 0);
});

test('a key whose time ends between two dials is not tried any more', () => {
  const clock = { ms: 0 };
  const keyring = new Keyring('new', [{ key: 'old', untilMs: 100 }], () => clock.ms);
  keyring.refused(ID, 'new', true);
  assert.equal(keyring.forDial(ID, true), 'old');
  clock.ms = 100;
  assert.equal(keyring.forDial(ID, true), 'new');
  keyring.refused(ID, 'new', true);
  assert.equal(keyring.refusals(ID), 0);
});
