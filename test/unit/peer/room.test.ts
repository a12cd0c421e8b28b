import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase32768 } from '../../../src/message/base32768.ts';
import { Room, roughSize } from '../../../src/peer/room.ts';

const MB = 1_000_000;
const GB = 1_000 * MB;
const DAY_MS = 86_400_000;

/** A disk that others write to as well; what is taken takes its room. */
function disk(freeBytes: number, sizeBytes = 100 * GB) {
  const state = { freeBytes, nowMs: 1_000, looks: 0, changes: 0 };
  const room = new Room({
    space: () => {
      state.looks += 1;
      return { freeBytes: state.freeBytes, sizeBytes };
    },
    onChange: () => {
      state.changes += 1;
    },
    now: () => state.nowMs,
  });
  const take = (feed: string, bytes: number) => {
    for (let left = bytes; left > 0; left -= MB) {
      if (room.isPaused(feed)) return;
      state.freeBytes -= MB;
      room.took(feed, MB);
    }
  };
  return { room, state, take };
}

test('the last of the disk is not for others, and they go on when there is clearly more', () => {
  const many = disk(2 * GB);
  for (const feed of ['@a', '@b', '@c', '@d', '@e', '@f']) many.take(feed, 10 * GB);
  assert.ok(many.state.freeBytes >= 99 * MB, `${many.state.freeBytes}`);
  const { room, state } = disk(2 * GB);
  state.freeBytes = 99 * MB;
  room.look();
  assert.equal(room.isPaused('@new'), true);
  assert.deepEqual(room.pauses(), [{ reason: 'disk', freeBytes: 99 * MB, neededBytes: 120 * MB }]);
  const { changes } = state;
  state.freeBytes = 110 * MB;
  room.look();
  assert.equal(room.isPaused('@new'), true);
  assert.equal(state.changes, changes);
  state.freeBytes = 121 * MB;
  room.look();
  assert.equal(room.isPaused('@new'), false);
  assert.equal(state.changes, changes + 1);
});

test('a twentieth of a small disk is kept', () => {
  const { room, state } = disk(60 * MB, GB);
  assert.equal(room.isPaused('@a'), false);
  state.freeBytes = 49 * MB;
  room.look();
  assert.equal(room.isPaused('@a'), true);
});

test('one feed takes at most half of what is free in a day, and leaves the other half to the others', () => {
  const { room, state, take } = disk(10.1 * GB);
  take('@flood', 20 * GB);
  assert.ok(state.freeBytes >= 5 * GB && state.freeBytes <= 5.1 * GB, `${state.freeBytes}`);
  const [pause] = room.pauses();
  assert.ok(pause?.reason === 'share' && pause.feed === '@flood' && pause.untilMs === 1_000 + DAY_MS);
  take('@other', GB);
  assert.equal(room.isPaused('@other'), false);
  assert.equal(room.isPaused('@flood'), true);
  state.nowMs += DAY_MS;
  room.look();
  assert.equal(room.isAnyPaused, false);
  assert.equal(state.changes, 2);
});

test('a feed goes on when there is more room than when it began, or when the clock is set back', () => {
  const { room, state, take } = disk(10.1 * GB);
  take('@a', 6 * GB);
  assert.equal(room.isPaused('@a'), true);
  state.freeBytes = 20 * GB;
  room.look();
  assert.equal(room.isPaused('@a'), false);
  take('@a', 6 * GB);
  assert.equal(room.isPaused('@a'), true);
  state.nowMs = 0;
  room.look();
  assert.equal(room.isPaused('@a'), false);
});

test('the disk is not looked at for every message', () => {
  const { room, state } = disk(50 * GB);
  for (let count = 0; count < 10_000; count += 1) room.took('@a', 1_000);
  assert.ok(state.looks < 10, `${state.looks}`);
});

test('a message is not counted with fewer bytes than it has, whatever it holds', () => {
  const text = 'x'.repeat(5_000);
  const data = toBase32768(Buffer.alloc(9_000));
  for (const content of [
    text,
    { type: 'log', text },
    { type: 'log-block', data },
    { type: 'x', deep: { [data]: 1 } },
    { type: 'x', deep: [[[{ [text]: 1 }]]] },
    { type: 'x', numbers: Array.from({ length: 1_000 }, () => 123_456) },
  ]) {
    assert.ok(
      roughSize({ content }) > Buffer.byteLength(JSON.stringify(content)),
      JSON.stringify(content).slice(0, 50),
    );
  }
});
