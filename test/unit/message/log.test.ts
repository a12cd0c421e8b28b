import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogContent, parseContent } from '../../../src/message/content.ts';
import { MAX_TIME_MS } from '../../../src/message/limits.ts';
import { decodeLog, encodeLog } from '../../../src/message/log.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import { randomLine, seededRandom } from '../../helpers/random.ts';

const message = { timestamp: 1795317843331.002, sequence: 7 };

function record(fields: Partial<LogRecord>): LogRecord {
  return {
    line: 17,
    at: 1795317843331,
    bytes: Buffer.of(),
    level: undefined,
    stream: undefined,
    more: false,
    ...fields,
  };
}

function overTheWire(content: LogContent): LogContent {
  const parsed = parseContent(JSON.parse(JSON.stringify(content)));
  assert.equal(parsed.kind, 'known');
  return (parsed as { content: LogContent }).content;
}

test('a line becomes the message that plain SSB tools write, with what ssblog adds', () => {
  const labels = { run: '01JD', source: 'laptop', destination: 'nas', job: 'nightly' };
  const content = encodeLog(labels, record({ bytes: Buffer.from('Backup complete'), level: 'info', stream: 'stdout' }));
  assert.deepEqual(content, {
    type: 'log',
    source: 'laptop',
    destination: 'nas',
    text: 'Backup complete',
    at: 1795317843331,
    run: '01JD',
    line: 17,
    job: 'nightly',
    level: 'info',
    stream: 'stdout',
  });
});

test('what is absent leaves no key', () => {
  const content = encodeLog({ run: 'r', source: 's' }, record({ bytes: Buffer.from('x') }));
  assert.deepEqual(Object.keys(content), ['type', 'source', 'text', 'at', 'run', 'line']);
});

test('bytes that are not UTF-8 travel readable and exact', () => {
  const bytes = Buffer.from([0x67, 0x72, 0xfc, 0x6e]);
  const content = encodeLog({ run: 'r', source: 's' }, record({ bytes }));
  assert.equal(content.text, 'gr\ufffdn');
  assert.equal(content.raw, 'Z3L8bg==');
  assert.deepEqual(decodeLog(overTheWire(content), message).bytes, bytes);
});

test('any line comes back as it went', () => {
  const random = seededRandom(2);
  for (let round = 0; round < 500; round += 1) {
    const sent = record({
      line: 1 + random.below(1e9),
      at: random.below(2e12),
      bytes: randomLine(random, 300),
      level: random.pick([undefined, 'emerg', 'warning', 'debug']),
      stream: random.pick([undefined, 'stdout', 'stderr']),
      more: random.below(2) === 0,
    });
    assert.deepEqual(decodeLog(overTheWire(encodeLog({ run: 'r', source: 's' }, sent)), message), sent);
  }
});

test('a byte order mark and a NUL stay', () => {
  const bytes = Buffer.from('\ufefftext\0\r', 'utf8');
  assert.deepEqual(
    decodeLog(overTheWire(encodeLog({ run: 'r', source: 's' }, record({ bytes }))), message).bytes,
    bytes,
  );
});

test('a message that has only a text takes time and number from the message', () => {
  assert.deepEqual(decodeLog({ type: 'log', text: 'hello' }, message), {
    line: 7,
    at: 1795317843331,
    bytes: Buffer.from('hello'),
    level: undefined,
    stream: undefined,
    more: false,
  });
});

for (const [title, timestamp, at] of [
  ['before the epoch', -5, 0],
  ['beyond the year 9999', 1e300, MAX_TIME_MS],
] as const) {
  test(`a message's time ${title} is clamped`, () => {
    assert.equal(decodeLog({ type: 'log', text: '' }, { timestamp, sequence: 1 }).at, at);
  });
}

test('half a surrogate pair becomes U+FFFD', () => {
  assert.equal(decodeLog({ type: 'log', text: 'a\ud83db' }, message).bytes.toString(), 'a\ufffdb');
});
