import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PullSource } from '../../../src/peer/ssb/types.ts';
import { pacedReads, StrangerPace } from '../../../src/peer/stranger-pace.ts';

const LIMITS = {
  bytesPerSecond: 100,
  burstBytes: 1_000,
  allBytesPerSecond: 1_000,
  allBurstBytes: 10_000,
  freeBytes: 50,
};

function pace() {
  const clock = { ms: 0 };
  const friends = new Set(['@friend']);
  return {
    clock,
    friends,
    pace: new StrangerPace(
      (id) => !friends.has(id),
      LIMITS,
      () => clock.ms,
    ),
  };
}

test('a machine within the hops is never waited for', () => {
  const { pace: paced } = pace();
  paced.spend('@friend', 1e9);
  assert.equal(paced.waitMs('@friend'), 0);
});

test('a stranger is read at once for a burst, and then at its rate', () => {
  const { pace: paced, clock } = pace();
  paced.spend('@x', 1_000);
  assert.equal(paced.waitMs('@x'), 0);
  paced.spend('@x', 200);
  assert.equal(paced.waitMs('@x'), 2_000);
  clock.ms = 2_000;
  assert.equal(paced.waitMs('@x'), 0);
  assert.equal(paced.waitMs('@y'), 0, 'others do not wait for it');
});

test('to come again under the same id brings nothing, and to rest for long no more than a burst', () => {
  const { pace: paced, clock } = pace();
  clock.ms = 1e9;
  paced.spend('@x', 1_100);
  for (let other = 0; other < 900; other += 1) paced.spend(`@${other}`, 1);
  assert.equal(paced.waitMs('@x'), 1_000);
});

test('what was worth storing counts back, so that a stranger who carries feeds is not slowed down', () => {
  const { pace: paced } = pace();
  for (let round = 0; round < 1_000; round += 1) {
    paced.spend('@carrier', 500);
    paced.earn('@carrier', 550);
    assert.equal(paced.waitMs('@carrier'), 0);
  }
  paced.spend('@carrier', 1_100);
  assert.ok(paced.waitMs('@carrier') > 0, 'it earns nothing beyond a burst');
});

test('all strangers together have a rate, and who is new is heard all the same', () => {
  const { pace: paced } = pace();
  for (let one = 0; one < 12; one += 1) paced.spend(`@${one}`, 1_000);
  assert.equal(paced.waitMs('@3'), 2_000);
  assert.equal(paced.waitMs('@new'), 0);
  paced.spend('@new', 60);
  assert.ok(paced.waitMs('@new') > 2_000);
});

test('who is followed while it is waited for is read from then on', () => {
  const { pace: paced, friends } = pace();
  paced.spend('@x', 2_000);
  friends.add('@x');
  assert.equal(paced.waitMs('@x'), 0);
});

test('chunks come through in order, later; and a reader that has enough ends what waits', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { pace: paced, clock } = pace();
  let next = 0;
  let aborted: unknown;
  const source: PullSource<Buffer> = (abort, callback) => {
    if (abort) {
      aborted = abort;
      callback(abort);
    } else callback(null, Buffer.alloc(600, next++));
  };
  const read = pacedReads(source, '@x', paced);
  const got: (number | undefined)[] = [];
  const ends: unknown[] = [];
  const take = () => read(null, (end, chunk) => (end ? ends.push(end) : got.push(chunk?.[0])));
  take();
  take();
  take();
  assert.deepEqual(got, [0, 1]);
  t.mock.timers.tick(1_000);
  assert.deepEqual(got, [0, 1], 'no time has passed by the clock that counts');
  clock.ms = 2_000;
  t.mock.timers.tick(1_000);
  assert.deepEqual(got, [0, 1, 2]);
  take();
  read(true, () => ends.push('over'));
  assert.deepEqual(ends, [true, 'over']);
  assert.equal(aborted, true);
  clock.ms = 1e6;
  t.mock.timers.tick(1e6);
  assert.deepEqual(got, [0, 1, 2]);
});
