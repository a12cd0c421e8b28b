/** Whatever goes into `pipe` on one machine comes out of `log` on another, byte for byte. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asLines, assertSameBytes, textColumn } from '../helpers/log-text.ts';
import { LOGHUB_FOLDER, loghubMissing } from '../helpers/loghub.ts';
import { befriend, countLines, link, type Machine, network, startAll } from '../helpers/machine.ts';

/** Pipes `input` in on `from` and compares what `to` prints of it. */
async function travels(from: Machine, to: Machine, input: Buffer, source: string, ...flags: string[]): Promise<void> {
  await from.pipe(input, '--source', source, ...flags);
  const expected = asLines(input);
  const { stdout } = await to.waitForLog(countLines(expected), '--source', source);
  assertSameBytes(textColumn(stdout, { source }), expected, source);
}

test('real logs come out as they went in', { skip: loghubMissing }, async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  const names = readdirSync(LOGHUB_FOLDER).filter((name) => name.endsWith('.log'));
  assert.notEqual(names.length, 0);
  for (const name of names) {
    await t.test(`${name}, in blocks`, () => travels(laptop, nas, readFileSync(join(LOGHUB_FOLDER, name)), name));
  }
  await t.test('Linux.log, one line a message', () =>
    travels(laptop, nas, readFileSync(join(LOGHUB_FOLDER, 'Linux.log')), 'single', '--no-blocks'),
  );
  await t.test('all of them together, on both machines alike', async () => {
    const [one, other] = await Promise.all([laptop.must('log', '--utc'), nas.must('log', '--utc')]);
    assertSameBytes(other.stdout, one.stdout, 'laptop and nas');
  });
});

const ODD_INPUTS: Readonly<Record<string, Buffer>> = {
  'bytes that are not UTF-8': Buffer.from([
    0x66, 0x6f, 0xff, 0xfe, 0x0a, 0xc3, 0x0a, 0xed, 0xa0, 0x80, 0x0a, 0x80, 0x0a,
  ]),
  'characters beyond the basic plane': Buffer.from('😀 é ü 漢字\n\u2028 \ufeff\n\ufffd\n'),
  'NUL and other control characters': Buffer.from('a\0b\n\x1b[31mred\x1b[0m\n\x07\x08\t\n\x7f\n'),
  'CRLF and lone carriage returns': Buffer.from('dos\r\nprogress 1%\rprogress 2%\r\n\r\n\r\r\n'),
  'empty lines': Buffer.from('\n\n\nafter three\n\n'),
  'a last line without a line feed': Buffer.from('whole\nhalf'),
  'a single line feed': Buffer.from('\n'),
  'what looks like the output itself': Buffer.from('2026-11-22 03:00:01 [laptop] -> [nas] Backup complete\n'),
  'JSON and quotes': Buffer.from('{"type":"log","text":"\\n"}\n\\n "\' `$(true)` %s\n'),
  'a line of 200 KB': Buffer.from(`before\n${'0123456789abcdef'.repeat(12_800)}\nafter\n`),
  'a long line of characters of several bytes': Buffer.from(`${'€😀'.repeat(10_000)}\nafter\n`),
  'a long line of bytes that are not UTF-8': Buffer.concat([Buffer.alloc(50_000, 0xfe), Buffer.from('\nafter\n')]),
  'a long last line without a line feed': Buffer.from('x'.repeat(30_000)),
  'bytes of every value': everyByte(60_000),
};

/** Bytes that look random and are the same in every run. */
function everyByte(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

test('odd input comes out as it went in', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(nas, laptop);
  let number = 0;
  for (const [what, input] of Object.entries(ODD_INPUTS)) {
    for (const flags of [[], ['--no-blocks']]) {
      const source = `odd-${++number}`;
      await t.test([what, ...flags].join(', '), () => travels(laptop, nas, input, source, ...flags));
    }
  }
  await t.test('in a thousand lines at once, which fill blocks', async () => {
    const lines = Buffer.concat(
      Array.from({ length: 1000 }, (_, index) => Buffer.from(`${index} \xff \r\0\n`, 'latin1')),
    );
    await travels(laptop, nas, lines, 'odd-block');
  });
});

test('empty input makes no line', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const answer = JSON.parse((await laptop.pipe('', '--json')).text) as { lines: number; spooled: number };
  assert.equal(answer.lines, 0);
  assert.equal(answer.spooled, 0);
  assert.equal((await laptop.must('log')).text, '');
});

test('pipe --tee copies its input to stdout, unchanged', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const input = Buffer.from([0x66, 0xff, 0x00, 0x0d, 0x0a, 0x0a, 0x65]);
  const { stdout } = await laptop.pipe(input, '--tee');
  assert.deepEqual(stdout, input);
});
