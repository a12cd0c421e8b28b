import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseContent } from '../../../src/message/content.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isTaken(data: string): boolean {
  const block = { type: 'log-block', run: 'r', line: 1, lines: 1, at: [0, 0], encoding: 'brotli', data };
  return parseContent(block).kind === 'known';
}

for (const data of ['', 'QQ==', 'QUE=', 'QUFB', 'QUFBQQ==', '+/+/']) {
  test(`"${data}" is base64`, () => assert.ok(isTaken(data)));
}
for (const data of [
  'Q',
  'QQ',
  'QQ=',
  'QUFBQQ',
  'QQ==QQ==',
  '====',
  'A===',
  '=QQ=',
  'QU B',
  'QUF\n',
  '-_-_',
  'QÄ==',
  'Q\0Q=',
]) {
  test(`${JSON.stringify(data)} is no base64`, () => assert.ok(!isTaken(data)));
}

test('what is taken for base64 is what the standard says', () => {
  const characters = fc.constantFrom('A', 'Q', 'g', 'w', '+', '/', '=', '=', '-', '_', ' ', '\n', 'Ā', '.');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      assert.equal(isTaken(text), BASE64.test(text));
    }),
    { numRuns: 20_000 },
  );
});

const FEED = `@${'A'.repeat(43)}=.ed25519`;
const RUN = { type: 'log-run', run: 'r', state: 'end', started: 1 };
const JOB = { type: 'log-job', feed: FEED, job: 'nightly', state: 'paused', at: 1 };
const OVERDUE = { type: 'log-overdue', job: 'nightly', run: 'r', due: 1, at: 2 };

const READABLE = [
  { ...RUN, cron: '0 3 * * *', tz: 'Europe/Berlin', grace: '2h' },
  { ...RUN, exit: null, signal: null, reason: 'spawn ENOENT' },
  { ...RUN, cron: 'x'.repeat(100), tz: 'x'.repeat(64), reason: 'x'.repeat(500) },
  JOB,
  { ...JOB, source: 'laptop', destination: 'nas', state: 'paused', until: 2, more: 'is kept' },
  { ...JOB, state: 'active' },
  { ...JOB, state: 'forgotten' },
  OVERDUE,
  { ...OVERDUE, source: 'laptop', destination: 'nas' },
];
const UNREADABLE = [
  { ...RUN, cron: 'x'.repeat(101) },
  { ...RUN, cron: 5 },
  { ...RUN, tz: 'x'.repeat(65) },
  { ...RUN, reason: 'x'.repeat(501) },
  { ...RUN, reason: 'a\0b' },
  { ...JOB, feed: 'laptop' },
  { ...JOB, feed: undefined },
  { ...JOB, job: '' },
  { ...JOB, job: undefined },
  { ...JOB, source: 'a\0b' },
  { ...JOB, destination: 'x'.repeat(201) },
  { ...JOB, state: 'gone' },
  { ...JOB, at: -1 },
  { ...JOB, until: 1e300 },
  { ...OVERDUE, job: 'x'.repeat(201) },
  { ...OVERDUE, run: 'x'.repeat(65) },
  { ...OVERDUE, due: 'soon' },
];

for (const content of READABLE) {
  test(`${JSON.stringify(content).slice(0, 120)} is read as it is`, () => {
    assert.deepEqual(parseContent(content), { kind: 'known', content });
  });
}
for (const content of UNREADABLE) {
  test(`${JSON.stringify(content).slice(0, 120)} is unreadable`, () => {
    assert.equal(parseContent(content).kind, 'unreadable');
  });
}
