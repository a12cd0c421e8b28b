import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import zlib from 'node:zlib';
import { type RawLines, splitLines } from '../../../src/lines/split.ts';
import { decodeBlock } from '../../../src/message/block.ts';
import { parseContent } from '../../../src/message/content.ts';
import { MAX_MESSAGE_UNITS, MAX_RECORD_BYTES } from '../../../src/message/limits.ts';
import { decodeLog } from '../../../src/message/log.ts';
import type { LogRecord, RunLabels } from '../../../src/message/record.ts';
import { messageUnits } from '../../../src/message/size.ts';
import type { LineContent } from '../../../src/writer/open-block.ts';
import { Packer, type PackerOptions } from '../../../src/writer/pack.ts';
import { LOGHUB_FILES, loghubMissing, readLoghub } from '../../helpers/loghub.ts';
import { randomLine, seededRandom } from '../../helpers/random.ts';
import { eachLine, rawLine, rawLines } from '../../helpers/raw-lines.ts';

const labels: RunLabels = { run: '01JD0000000000000000000000', source: 'laptop', destination: 'nas', job: 'nightly' };

/** A packer on a clock that stands still until it is set. */
function packerAt(
  start: number,
  options: Partial<PackerOptions> = {},
): { packer: Packer; setTime: (now: number) => void } {
  let time = start;
  const packer = new Packer({ labels, blocks: true, now: () => time, ...options });
  return {
    packer,
    setTime: (now) => {
      time = now;
    },
  };
}

function manyLines(
  count: number,
  text = (index: number) => `line ${index} of a log that is quite regular`,
): RawLines[] {
  return [rawLines(Array.from({ length: count }, (_, index) => text(index)))];
}

/** What a reader gets, having checked each content as readers do. */
function unpack(contents: readonly LineContent[]): LogRecord[] {
  return contents.flatMap((content) => {
    assert.ok(messageUnits(content) <= MAX_MESSAGE_UNITS);
    assert.equal(parseContent(JSON.parse(JSON.stringify(content))).kind, 'known');
    if (content.type === 'log') return [decodeLog(content, { timestamp: 0, sequence: 0 })];
    return [...decodeBlock(content)];
  });
}

/** The lines, with the pieces of cut ones put together. */
function join(records: readonly LogRecord[]): Buffer[] {
  const lines: Buffer[] = [];
  let pieces: Buffer[] = [];
  for (const { bytes, more } of records) {
    pieces.push(bytes);
    if (more) continue;
    lines.push(Buffer.concat(pieces));
    pieces = [];
  }
  assert.deepEqual(pieces, []);
  return lines;
}

function typesOf(contents: readonly LineContent[]): string[] {
  return contents.map(({ type }) => type);
}

test('lines that trickle become single messages at once', () => {
  const { packer, setTime } = packerAt(0);
  for (let second = 0; second < 100; second += 1) {
    setTime(second * 1000);
    assert.deepEqual(typesOf(packer.add([rawLine('tick'), rawLine('tock')])), ['log', 'log']);
    assert.equal(packer.deadline(), undefined);
  }
});

test('after 30 lines the others wait in a block, for 200 ms at most', () => {
  const { packer } = packerAt(5000);
  assert.equal(packer.deadline(), undefined);
  for (let index = 0; index < 3; index += 1)
    assert.deepEqual(typesOf(packer.add(manyLines(10))), Array(10).fill('log'));
  assert.deepEqual(packer.add(manyLines(70)), []);
  assert.equal(packer.deadline(), 5200);
  const [block, ...others] = packer.flush();
  assert.deepEqual(others, []);
  assert.equal(block?.type, 'log-block');
  assert.equal(block?.lines, 70);
  assert.equal(block?.line, 31);
  assert.equal(packer.deadline(), undefined);
  assert.deepEqual(packer.flush(), []);
});

test('more than 30 lines at once are a rush from the first of them', () => {
  const { packer } = packerAt(0);
  assert.deepEqual(packer.add(manyLines(31)), []);
  const [block, ...others] = packer.flush();
  assert.deepEqual(others, []);
  assert.equal(block?.type, 'log-block');
  assert.equal(block?.lines, 31);
});

test('the wait counts from the first line in the block', () => {
  const { packer, setTime } = packerAt(0);
  packer.add(manyLines(31));
  setTime(150);
  packer.add([rawLine('x')]);
  assert.equal(packer.deadline(), 200);
});

test('a block whose time has come goes out with new lines, even if nobody flushes', () => {
  const { packer, setTime } = packerAt(0);
  packer.add(manyLines(40));
  setTime(200);
  assert.deepEqual(typesOf(packer.add([rawLine('x')])), ['log-block']);
});

test('a rush is not interrupted by single messages', () => {
  const { packer, setTime } = packerAt(0);
  const contents: LineContent[] = [];
  for (let now = 0; now < 5000; now += 1) {
    setTime(now);
    contents.push(...packer.add([rawLine('a line each millisecond')]));
  }
  contents.push(...packer.flush());
  // The first 30, and those that came for what the bucket had gained until it was empty.
  assert.ok(typesOf(contents).filter((type) => type === 'log').length < 45);
  assert.ok(contents.length < 80);
});

test('when a rush is over, lines are single again', () => {
  const { packer, setTime } = packerAt(0);
  packer.add(manyLines(1000));
  packer.flush();
  setTime(1000);
  assert.deepEqual(typesOf(packer.add([rawLine('calm')])), ['log']);
});

test('a clock that steps back stops nothing', () => {
  const { packer, setTime } = packerAt(10_000);
  packer.add(manyLines(30));
  setTime(0);
  packer.add([rawLine('x')]);
  assert.equal(packer.deadline(), 200);
});

test('a block of one line goes out as a message that every tool reads', () => {
  const { packer } = packerAt(0);
  packer.add(manyLines(30));
  packer.add(manyLines(1));
  assert.deepEqual(typesOf(packer.flush()), ['log']);
});

test('without blocks every line is a message', () => {
  const { packer } = packerAt(0, { blocks: false });
  const contents = packer.add(manyLines(500));
  assert.deepEqual(typesOf(contents), Array(500).fill('log'));
  assert.equal(packer.deadline(), undefined);
});

test('any lines come back in order, numbered without gaps, with times that do not go back', () => {
  const random = seededRandom(6);
  for (let round = 0; round < 24; round += 1) {
    const { packer, setTime } = packerAt(0, { blocks: round % 4 !== 0 });
    const maxBytes = random.pick([0, 50, 500, MAX_RECORD_BYTES, 3 * MAX_RECORD_BYTES]);
    const sent: RawLines[] = [];
    const contents: LineContent[] = [];
    for (let batch = 0; batch < 10; batch += 1) {
      setTime(batch * random.below(100));
      const lines = Array.from({ length: random.below(10) }, () =>
        rawLines(
          Array.from({ length: 1 + random.below(6) }, () => randomLine(random, maxBytes)),
          random.below(1000),
        ),
      );
      sent.push(...lines);
      contents.push(...packer.add(lines));
      if (random.below(5) === 0) contents.push(...packer.flush());
    }
    contents.push(...packer.flush());
    const records = unpack(contents);
    assert.deepEqual(
      join(records),
      eachLine(sent).map(({ bytes }) => bytes),
    );
    assert.deepEqual(
      records.map((record) => record.line),
      records.map((_, index) => index + 1),
    );
    assert.ok(records.every(({ at }, index) => index === 0 || at >= (records[index - 1]?.at ?? 0)));
    assert.equal(packer.records, records.length);
    assert.equal(packer.lines, eachLine(sent).length);
  }
});

test('a line that no message holds is cut between characters', () => {
  const random = seededRandom(7);
  const alphabet = Array.from({ length: 5000 }, (_, index) => String.fromCodePoint(0x4e00 + index));
  const text = Array.from({ length: 2000 }, () => random.pick(alphabet)).join('');
  const { packer } = packerAt(0, { blocks: false });
  // Control characters take six characters each in JSON.
  const control = '\u0001'.repeat(5000);
  const records = unpack([...packer.add([rawLine(text), rawLine(control)])]);
  assert.ok(records.length > 2);
  assert.ok(records.every(({ bytes }) => !bytes.toString('utf8').includes('\ufffd')));
  assert.deepEqual(join(records).map(String), [text, control]);
});

test('a line that compresses well need not be cut where blocks are allowed', () => {
  const control = '\u0001'.repeat(5000);
  const { packer } = packerAt(0);
  assert.deepEqual(typesOf(packer.add([rawLine(control)])), ['log-block']);
});

test('the longest labels leave room for lines', () => {
  const name = '\u0001'.repeat(200);
  const random = seededRandom(8);
  for (const blocks of [true, false]) {
    const { packer } = packerAt(0, {
      blocks,
      labels: { run: 'r'.repeat(64), source: name, destination: name, job: name },
    });
    const bytes = Buffer.from(random.bytes(5000).map((byte) => (byte === 0x0a ? 0 : byte)));
    assert.deepEqual(join(unpack([...packer.add([rawLine(bytes)]), ...packer.flush()])), [bytes]);
  }
});

test('labels that leave no room are refused', () => {
  assert.throws(() => packerAt(0, { labels: { run: 'r', source: 'x'.repeat(9000) } }), { code: 'usage' });
});

test('levels come from the line, or from whoever set one for all', () => {
  const lines = [rawLine('ERROR: x'), rawLine('[warn] y'), rawLine('z')];
  const detected = packerAt(0).packer;
  assert.deepEqual(
    unpack(detected.add(lines)).map(({ level }) => level),
    ['err', 'warning', undefined],
  );
  assert.deepEqual(detected.levelCounts, { err: 1, warning: 1 });
  const fixed = packerAt(0, { level: 'notice' }).packer;
  assert.deepEqual(
    unpack(fixed.add(lines)).map(({ level }) => level),
    ['notice', 'notice', 'notice'],
  );
  assert.deepEqual(fixed.levelCounts, { notice: 3 });
});

test('a cut line has the level of its first piece, and counts once', () => {
  const { packer } = packerAt(0);
  const records = unpack([
    ...packer.add([rawLine('ERROR: x', 1, true)], 'stdout'),
    ...packer.add([rawLine('[warn] y')], 'stderr'),
    ...packer.add([rawLine('INFO', 1, true), rawLine('and so on', 1), rawLine('plain')], 'stdout'),
  ]);
  assert.deepEqual(
    records.map(({ level, stream }) => [level, stream]),
    [
      ['err', 'stdout'],
      ['warning', 'stderr'],
      ['err', 'stdout'],
      ['err', 'stdout'],
      [undefined, 'stdout'],
    ],
  );
  assert.deepEqual(packer.levelCounts, { err: 1, warning: 1 });
  assert.equal(packer.lines, 3);
  assert.equal(packer.records, 5);
});

test('a million empty lines need neither memory nor many messages', () => {
  const { packer } = packerAt(0);
  const batch = manyLines(10_000, () => '');
  let contents = 0;
  let records = 0;
  for (let count = 0; count < 100; count += 1) {
    for (const content of packer.add(batch)) {
      contents += 1;
      records += content.type === 'log-block' ? content.lines : 1;
      assert.equal(parseContent(content).kind, 'known');
    }
  }
  records += unpack(packer.flush()).length;
  assert.equal(records, 1_000_000);
  assert.ok(contents < 100);
  assert.ok(process.memoryUsage().heapUsed < 150e6);
});

test('what comes slowly is compressed with care, however long the run is', () => {
  const random = seededRandom(9);
  const words = ['copied', 'nas', 'pictures', 'renamed', 'of', 'bytes', 'anna', 'skipped', 'unchanged', 'to', 'music'];
  const text = () => Array.from({ length: 12 }, () => `${random.pick(words)} ${random.below(50)}`).join(' ');
  const lines = Array.from({ length: 700 }, () => manyLines(30, text));
  const messages = (msForEach: number) => {
    const { packer, setTime } = packerAt(0);
    let count = 0;
    for (let round = 0; round < 3; round += 1) {
      for (const [index, some] of lines.entries()) {
        setTime((round * lines.length + index) * msForEach);
        count += packer.add(some).length;
      }
    }
    return count;
  };
  const [slow, fast] = [messages(4), messages(0)];
  assert.ok(slow < 0.98 * fast, `${slow} and ${fast} messages`);
});

test('a rush is compressed quickly, however long there was nothing before it', () => {
  const random = seededRandom(10);
  const text = () =>
    Array.from({ length: 6 }, () => `${random.pick(['copied', 'of', 'nas'])} ${random.below(900)}`).join(' ');
  const lines = Array.from({ length: 900 }, () => manyLines(100, text));
  const messages = (idleMs: number) => {
    const { packer, setTime } = packerAt(0);
    for (const some of lines.slice(0, 30)) packer.add(some); // a few full blocks
    packer.flush();
    setTime(idleMs);
    return lines.reduce((count, some) => count + packer.add(some).length, 0);
  };
  assert.equal(messages(24 * 60 * 60_000), messages(1000));
});

/** All contents of a log that comes as fast as it can be read. */
async function packAll(input: Buffer): Promise<LineContent[]> {
  const { packer } = packerAt(0);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < input.length; start += 65_536) yield input.subarray(start, start + 65_536);
  }
  const contents: LineContent[] = [];
  for await (const lines of splitLines(source(), { now: () => 1000 })) contents.push(...packer.add(lines));
  contents.push(...packer.flush());
  return contents;
}

function fillOf(contents: readonly LineContent[]): number {
  const full = contents.filter(({ type }) => type === 'log-block').slice(0, -1);
  return full.reduce((sum, content) => sum + messageUnits(content), 0) / full.length / MAX_MESSAGE_UNITS;
}

test('blocks of a regular log are nearly as full as a message can be', async () => {
  const line = (index: number) =>
    `copied /home/anna/photos/2026/${index % 977}/${index}.jpg, ${(index * 7919) % 5e6} bytes\n`;
  const input = Buffer.from(Array.from({ length: 50_000 }, (_, index) => line(index)).join(''));
  const contents = await packAll(input);
  assert.ok(fillOf(contents) > 0.9, String(fillOf(contents)));
  assert.equal(Buffer.concat(unpack(contents).flatMap(({ bytes }) => [bytes, Buffer.from('\n')])).compare(input), 0);
});

test('no record is longer than readers expect', () => {
  const { packer } = packerAt(0);
  const bytes = Buffer.alloc(2 * MAX_RECORD_BYTES - 1, 'x');
  const records = unpack([...packer.add([rawLine(bytes), ...manyLines(100)]), ...packer.flush()]);
  assert.ok(Math.max(...records.map((record) => record.bytes.length)) <= MAX_RECORD_BYTES);
  assert.deepEqual(join(records)[0], bytes);
});

/** Bytes that were given to Brotli while `work` was done. */
async function compressedBytes(work: () => Promise<unknown>): Promise<number> {
  let bytes = 0;
  const { brotliCompressSync } = zlib;
  const spy = mock.method(zlib, 'brotliCompressSync', (...args: Parameters<typeof brotliCompressSync>) => {
    bytes += (args[0] as Buffer).length;
    return brotliCompressSync(...args);
  });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    spy.mock.restore();
    syncBuiltinESMExports();
  }
  return bytes;
}

test('of kinds of lines that take turns little is compressed twice, and blocks are well filled', async () => {
  const random = seededRandom(11);
  const kinds = [
    (index: number) => `INFO backup: copied /home/anna/photos/2026/${index % 977}/IMG_${index}.jpg in ${index % 89} ms`,
    () =>
      `sshd[${random.below(30_000)}]: Failed password for root from ${random.below(256)}.${random.below(256)}.9.1 port ${random.below(65_536)}`,
    () =>
      `[${random.below(90)}] LOG: duration: ${random.below(900_000) / 1000} ms  SELECT * FROM items WHERE id = ${random.below(1e6)}`,
    (index: number) => `job-${random.below(9)} finished: nothing to do (attempt ${1 + (index % 3)})`,
  ];
  const lines = Array.from({ length: 200_000 }, (_, index) => `${kinds[Math.floor(index / 2_000) % 4]?.(index)}\n`);
  const input = Buffer.from(lines.join(''));
  let contents: LineContent[] = [];
  const bytes = await compressedBytes(async () => {
    contents = await packAll(input);
  });
  const times = bytes / input.length;
  assert.ok(times < 2, `${times}`);
  assert.ok(fillOf(contents) > 0.85, String(fillOf(contents)));
});

for (const name of LOGHUB_FILES) {
  test(`real lines of ${name} come back as they were, from well filled blocks`, { skip: loghubMissing }, async () => {
    // Four times, each time another line's end: enough for several messages.
    const log = readLoghub(name).toString('latin1');
    const times = [1, 2, 3, 4].map((time) => log.replaceAll('\n', ` ${time}\n`));
    const input = Buffer.from(times.join(''), 'latin1');
    const contents = await packAll(input);
    const output = Buffer.concat(unpack(contents).flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
    assert.equal(output.subarray(0, input.length).compare(input), 0);
    assert.ok(output.length - input.length <= 1);
    assert.ok(fillOf(contents) > 0.9, String(fillOf(contents)));
  });
}
