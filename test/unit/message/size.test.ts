import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { MAX_MESSAGE_UNITS, MAX_TIME_MS } from '../../../src/message/limits.ts';
import { encodeLog } from '../../../src/message/log.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import { fits, messageUnits } from '../../../src/message/size.ts';
import { randomLine, seededRandom } from '../../helpers/random.ts';

/** The slice of ssb-keys and ssb-validate (both untyped) that makes and judges a message. */
interface SsbKeys {
  generate(): { id: string };
}
interface SsbValidate {
  initial(): unknown;
  create(
    state: { id: string; sequence: number; timestamp: number; queue: [] } | null,
    keys: { id: string },
    hmacKey: null,
    content: unknown,
    timestamp: number,
  ): object;
  encode(message: object): string;
  checkInvalid(state: object, hmacKey: null, message: object): Error | false;
}

const require = createRequire(import.meta.url);
const ssbKeys = require('ssb-keys') as SsbKeys;
const ssbValidate = require('ssb-validate') as SsbValidate;

const keys = ssbKeys.generate();
const labels = { run: '01JD0000000000000000000000', source: 'laptop', destination: 'nas', job: 'nightly' };

function record(bytes: Buffer): LogRecord {
  return { line: 1, at: MAX_TIME_MS, bytes, level: 'warning', stream: 'stderr', more: true };
}

/** What ssb-validate says of this content, late in a feed. */
function judge(content: Content): { units: number; error: Error | false } {
  const state = { id: `%${'a'.repeat(43)}=.sha256`, sequence: 2 ** 31 - 3, timestamp: 1, queue: [] as [] };
  const message = ssbValidate.create(state, keys, null, content, 1795317843331.002);
  return { units: ssbValidate.encode(message).length, error: ssbValidate.checkInvalid(state, null, message) };
}

test('a size is never less than what ssb-validate counts, and hardly more', () => {
  const random = seededRandom(1);
  for (let round = 0; round < 200; round += 1) {
    const line = record(randomLine(random, 900));
    for (const content of [encodeLog(labels, line), encodeBlock(labels, [line, line])]) {
      const { units } = judge(content);
      assert.ok(messageUnits(content) >= units);
      // The sequence takes 10 of 16 digits here, the time 17 of 18.
      assert.ok(messageUnits(content) <= units + 7);
    }
  }
});

test('what fits is taken by ssb-validate, up to the last unit', () => {
  const empty = encodeLog(labels, record(Buffer.of()));
  const room = MAX_MESSAGE_UNITS - messageUnits(empty);
  const fullest = { ...empty, text: 'x'.repeat(room) };
  assert.equal(messageUnits(fullest), MAX_MESSAGE_UNITS);
  assert.ok(fits(fullest));
  assert.equal(judge(fullest).error, false);
  assert.ok(!fits({ ...empty, text: 'x'.repeat(room + 1) }));
});

test('what does not fit by more than the longest sequence and time is refused by ssb-validate', () => {
  const empty = encodeLog(labels, record(Buffer.of()));
  const content = { ...empty, text: 'x'.repeat(MAX_MESSAGE_UNITS - messageUnits(empty) + 8) };
  assert.throws(() => {
    const { error } = judge(content);
    if (error) throw error;
  }, /must not be larger than 8192/);
});

test('every type of content is measured, whatever its nesting', () => {
  const contents: Content[] = [
    { type: 'contact', contact: keys.id, following: true },
    { type: 'about', about: keys.id, name: 'laptop "at home"' },
    { type: 'log-run', run: 'r', source: 's', state: 'end', started: 1, exit: null, levels: { err: 2, warning: 1 } },
    { type: 'log-run', run: 'r', source: 's', state: 'end', started: 1, reason: '"', cron: '0 3 * * *', tz: 'UTC' },
    { type: 'log-job', feed: keys.id, source: 's', job: 'nightly', state: 'paused', until: 2, at: 1 },
  ];
  for (const content of contents) {
    const { units } = judge(content);
    assert.ok(messageUnits(content) >= units && messageUnits(content) <= units + 7, content.type);
  }
});
