import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloodGate } from '../../../../src/peer/lan/flood.ts';

test('one source cannot take the place of others, and all together cost a bounded time', () => {
  let now = 0;
  const gate = new FloodGate(() => now);
  const admitted = (packets: string[]) => packets.filter((source) => gate.admits(source)).length;
  assert.equal(admitted(Array(5_000).fill('loud')), 100);
  assert.equal(admitted(['quiet']), 1);
  assert.equal(admitted(Array.from({ length: 9_000 }, (_, index) => `s${index}`)), 2_000 - 101);
  now += 1_000;
  assert.equal(admitted(['loud', 'quiet']), 2);
  now -= 86_400_000;
  assert.equal(admitted(['loud']), 1, 'a clock that is set back stops nothing');
});
