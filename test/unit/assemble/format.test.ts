import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FormatOptions, lineFormat } from '../../../src/assemble/format.ts';
import type { LogLine } from '../../../src/assemble/log-line.ts';
import { LogLines } from '../../../src/assemble/log-lines.ts';
import { RecordList } from '../../../src/message/record-list.ts';

const BACKUP: LogLine = {
  at: Date.UTC(2026, 10, 22, 3, 0, 1, 5),
  source: 'laptop',
  destination: 'nas',
  job: 'nightly',
  run: '01JD',
  line: 17,
  level: 'info',
  stream: 'stdout',
  bytes: Buffer.from('Backup complete'),
  feed: '@a.ed25519',
  sequence: 5,
};

/** Bytes as Latin-1: one character a byte. */
function shown(lines: readonly (Partial<LogLine> & { text?: string })[], options: FormatOptions = {}): string {
  const format = lineFormat({ utc: true, ...options });
  const all = lines.map(({ text, ...line }) => ({
    ...BACKUP,
    ...line,
    ...(text !== undefined && { bytes: Buffer.from(text, 'latin1') }),
  }));
  return Buffer.concat([format.header, format.format(LogLines.of(all))]).toString('latin1');
}

test('a text line has the time, the source, the destination and the text', () => {
  assert.equal(shown([{}]), '2026-11-22 03:00:01 [laptop] -> [nas] Backup complete\n');
});

test('a text line without a destination leaves it out', () => {
  assert.equal(shown([{ destination: undefined }]), '2026-11-22 03:00:01 [laptop] Backup complete\n');
});

test('neighbouring lines keep their own times and labels', () => {
  const lines = [
    {},
    { at: BACKUP.at + 995 },
    { source: 'vps' },
    { destination: undefined },
    { destination: 'vps' },
    {},
  ];
  assert.equal(
    shown(lines.map((line) => ({ ...line, text: '.' }))),
    [
      '2026-11-22 03:00:01 [laptop] -> [nas] .',
      '2026-11-22 03:00:02 [laptop] -> [nas] .',
      '2026-11-22 03:00:01 [vps] -> [nas] .',
      '2026-11-22 03:00:01 [laptop] .',
      '2026-11-22 03:00:01 [laptop] -> [vps] .',
      '2026-11-22 03:00:01 [laptop] -> [nas] .',
      '',
    ].join('\n'),
  );
});

test('the bytes of a text go out as they came', () => {
  const text = '\xff\x00\x1b[31m\r\t\xe4';
  assert.equal(shown([{ text }]), `2026-11-22 03:00:01 [laptop] -> [nas] ${text}\n`);
});

test('an empty line is its prefix', () => {
  assert.equal(shown([{ text: '' }]), '2026-11-22 03:00:01 [laptop] -> [nas] \n');
});

test('a text with newlines cannot look like lines of other machines', () => {
  const prefix = '2026-11-22 03:00:01 [laptop] -> [nas]';
  assert.equal(
    shown([{ text: 'one\n2026-11-22 03:00:01 [nas] forged\n' }]),
    `${prefix} one\n${prefix} 2026-11-22 03:00:01 [nas] forged\n`,
  );
});

test('a label with control characters cannot forge a line, not in a file either', () => {
  assert.equal(
    shown([{ source: 'a\n2026 [nas] \x1b[2J', destination: 'b\r\u202e\u0085' }]),
    '2026-11-22 03:00:01 [a\\n2026 [nas] \\x1b[2J] -> [b\\r\\u202e\\x85] Backup complete\n',
  );
});

test('labels of other alphabets are UTF-8', () => {
  assert.equal(
    Buffer.from(shown([{ source: 'büro', destination: '日本' }]), 'latin1').toString('utf8'),
    '2026-11-22 03:00:01 [büro] -> [日本] Backup complete\n',
  );
});

const ESCAPED: readonly [title: string, bytes: Buffer, shown: string][] = [
  ['a tab stays', Buffer.from('a\tb'), 'a\tb'],
  ['text of other alphabets stays', Buffer.from('naïve 日本語 😀'), 'naïve 日本語 😀'],
  ['escape sequences are shown', Buffer.from('\x1b[31mred\x1b]0;title\x07'), '\\x1b[31mred\\x1b]0;title\\x07'],
  ['a carriage return is shown', Buffer.from('50%\r100%'), '50%\\r100%'],
  ['NUL, backspace and DEL are shown', Buffer.from('\0\b\x7f'), '\\x00\\x08\\x7f'],
  ['C1 controls are shown', Buffer.from('\u009b31m'), '\\x9b31m'],
  ['bytes that are not UTF-8 are replaced', Buffer.from([0x61, 0x9b, 0x62]), 'a\ufffdb'],
  ['marks of direction are shown', Buffer.from('\u202eexe.\u2066txt\u200f'), '\\u202eexe.\\u2066txt\\u200f'],
];

for (const [title, bytes, expected] of ESCAPED) {
  test(`on a terminal ${title}`, () => {
    const text = shown([{ bytes }], { escape: true });
    assert.equal(Buffer.from(text, 'latin1').toString('utf8'), `2026-11-22 03:00:01 [laptop] -> [nas] ${expected}\n`);
  });
}

test('a JSON line has every field, with null for what is absent', () => {
  const json = shown([{}, { destination: undefined, job: undefined, run: undefined, line: undefined }], {
    output: 'json',
  });
  const [first, second, rest] = json.split('\n');
  assert.equal(
    first,
    '{"at":1795316401005,"source":"laptop","destination":"nas","job":"nightly","run":"01JD","line":17,' +
      '"level":"info","stream":"stdout","text":"Backup complete","feed":"@a.ed25519","sequence":5}',
  );
  const { destination, job, run, line } = JSON.parse(second ?? '');
  assert.deepEqual([destination, job, run, line, rest], [null, null, null, null, '']);
  assert.deepEqual(JSON.parse(shown([{ level: undefined, stream: undefined }], { output: 'json' })).level, null);
});

test('a JSON line has the raw bytes only when they are not UTF-8', () => {
  const json = Buffer.from(shown([{ text: 'a\xffb' }], { output: 'json' }), 'latin1').toString('utf8');
  const { text, raw } = JSON.parse(json);
  assert.equal(text, 'a\ufffdb');
  assert.deepEqual(Buffer.from(raw, 'base64'), Buffer.from('a\xffb', 'latin1'));
  assert.equal('raw' in JSON.parse(shown([{}], { output: 'json' })), false);
});

test('lines of times that are in the future are marked, where that is asked for', () => {
  const isFuture = (at: number) => at > BACKUP.at;
  const later = { at: BACKUP.at + 1 };
  assert.equal(
    shown([{}, later, {}], { isFuture }),
    ['', ' (future)', ''].map((mark) => `2026-11-22 03:00:01${mark} [laptop] -> [nas] Backup complete\n`).join(''),
  );
  const json = shown([{}, later], { output: 'json', isFuture }).split('\n', 2);
  assert.deepEqual(
    json.map((line) => JSON.parse(line).future),
    [undefined, true],
  );
});

test('JSON on a terminal stays the same JSON, without controls', () => {
  const bytes = Buffer.from('\u009b31m\u202e\x7f\x1b"');
  const json = Buffer.from(shown([{ bytes }], { output: 'json', escape: true }), 'latin1').toString('utf8');
  assert.doesNotMatch(json, /[\u007f-\u009f\u202e]/);
  assert.equal(JSON.parse(json).text, bytes.toString());
});

test('CSV has a header, and quotes where they are needed', () => {
  assert.equal(
    shown([{ text: 'say "hi", then\nleave' }, { text: '\xff', destination: undefined, source: 'a,b' }], {
      output: 'csv',
    }),
    'at,source,destination,job,run,line,level,stream,text,feed,sequence\r\n' +
      '1795316401005,laptop,nas,nightly,01JD,17,info,stdout,"say ""hi"", then\nleave",@a.ed25519,5\r\n' +
      '1795316401005,"a,b",,nightly,01JD,17,info,stdout,\xff,@a.ed25519,5\r\n',
  );
});

test('CSV on a terminal has no controls', () => {
  assert.match(shown([{ text: 'a\x1b[2J\n' }], { output: 'csv', escape: true }), /,a\\x1b\[2J\\n,/);
});

test('what lines of a block hold does not drive a terminal either', () => {
  const records = RecordList.of(
    [1, 2].map((line) => ({ ...BACKUP, line, more: false, bytes: Buffer.from('a\x1b[2Jb') })),
  );
  const lines = new LogLines([{ labels: BACKUP, sequence: 5, isNumbered: true, records, from: 0, to: 2 }]);
  const shownOn = (isTerminal: boolean) => lineFormat({ utc: true, escape: isTerminal }).format(lines).toString();
  const line = (text: string) => `2026-11-22 03:00:01 [laptop] -> [nas] ${text}\n`;
  assert.equal(shownOn(true), line('a\\x1b[2Jb').repeat(2));
  assert.equal(shownOn(false), line('a\x1b[2Jb').repeat(2));
});

test('newlines at the ends of a text make no lines without text but those between them', () => {
  const line = (text: string) => `2026-11-22 03:00:01 [laptop] -> [nas] ${text}\n`;
  for (const options of [{ escape: true }, { escape: false }]) {
    assert.equal(shown([{ text: '' }], options), line(''));
    assert.equal(shown([{ text: '\n' }], options), line(''));
    assert.equal(shown([{ text: '\n\na' }], options), line('') + line('') + line('a'));
    assert.equal(shown([{ text: 'a\n\n' }], options), line('a') + line(''));
  }
});
