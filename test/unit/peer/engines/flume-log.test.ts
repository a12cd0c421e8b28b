/** Damage in flume's log is found by its frames. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findFlumeDamage } from '../../../../src/peer/engines/flume-log.ts';
import { encode, messageId } from '../../../../src/peer/engines/sqlite/classic.ts';
import { freshDirectory } from '../../store/fake-feed.ts';

const RECORDS = 3000;

/** As flumelog-offset writes them. */
function log(): { bytes: Buffer; ends: number[] } {
  const ends: number[] = [];
  const frames: Buffer[] = [];
  for (let index = 0, end = 0; index < RECORDS; index++) {
    const value = { sequence: index, text: 'é'.repeat(index % 900) };
    const record = Buffer.from(JSON.stringify({ key: messageId(encode(value)), value, timestamp: 1 }));
    const frame = Buffer.alloc(record.length + 12);
    frame.writeUInt32BE(record.length, 0);
    record.copy(frame, 4);
    frame.writeUInt32BE(record.length, record.length + 4);
    end += frame.length;
    frame.writeUInt32BE(end, record.length + 8);
    frames.push(frame);
    ends.push(end);
  }
  return { bytes: Buffer.concat(frames), ends };
}

function damageOf(t: TestContext, bytes: Buffer): { sound: number | undefined; steps: number } {
  const file = join(freshDirectory(t), 'log.offset');
  writeFileSync(file, bytes);
  const generator = findFlumeDamage(file);
  let steps = 0;
  for (;;) {
    const step = generator.next();
    if (step.done) return { sound: step.value?.soundBytes, steps };
    steps += 1;
  }
}

const { bytes, ends } = log();
const end = (index: number) => ends[index] as number;

test('a log that is whole, or empty, has no damage, and is looked at step by step', (t) => {
  const { sound, steps } = damageOf(t, bytes);
  assert.equal(sound, undefined);
  assert.equal(steps, Math.floor(bytes.length / 2 ** 20));
  assert.equal(damageOf(t, Buffer.alloc(0)).sound, undefined);
});

test('a tail that was torn off is cut by flume itself, but not when it is the first record', (t) => {
  for (const cut of [1, 3, 9, 500])
    assert.equal(damageOf(t, bytes.subarray(0, end(2000) + cut)).sound, undefined, `${cut}`);
  for (const cut of [1, 3, 9, 30]) assert.equal(damageOf(t, bytes.subarray(0, cut)).sound, 0, `${cut}`);
});

test('damage before a torn tail is no torn tail, however far it is from the end', (t) => {
  const copy = Buffer.from(bytes.subarray(0, end(2900) - 5));
  copy.writeUInt32BE(0x7fffffff, end(3));
  assert.equal(damageOf(t, copy).sound, end(3));
  // Nothing behind it says where it stands: flume takes all of it for what was torn off.
  const torn = Buffer.alloc(end(2900), 0xff);
  copy.copy(torn, 0, 0, end(3));
  assert.equal(damageOf(t, torn).sound, undefined);
});

const DAMAGE: readonly [what: string, change: (copy: Buffer) => void][] = [
  ['a length', (copy) => copy.writeUInt32BE(7, end(1000))],
  ['a length beyond the end', (copy) => copy.writeUInt32BE(0x7fffffff, end(1000))],
  ['the text', (copy) => copy.write('}', end(1000) + 5)],
  ['one bit', (copy) => copy.write('1102', copy.indexOf('"sequence":1001,', end(1000)) + 11)],
  ['the second length', (copy) => copy.writeUInt32BE(1, end(1001) - 8)],
  ['the end', (copy) => copy.writeUInt32BE(1, end(1001) - 4)],
  ['a hole of zeros', (copy) => copy.fill(0, end(1000) + 1, end(1000) + 5000)],
];

for (const [what, change] of DAMAGE) {
  test(`damage is found: ${what}`, (t) => {
    const copy = Buffer.from(bytes);
    change(copy);
    assert.equal(damageOf(t, copy).sound, end(1000));
  });
}

test('a message that was deleted, all zeros, is no damage', (t) => {
  const copy = Buffer.from(bytes);
  copy.fill(0, end(1000) + 4, end(1001) - 8);
  assert.equal(damageOf(t, copy).sound, undefined);
});
