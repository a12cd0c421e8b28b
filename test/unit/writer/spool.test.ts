import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SsblogError } from '../../../src/errors.ts';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content, LogContent } from '../../../src/message/content.ts';
import { Spool, spoolState } from '../../../src/writer/spool.ts';
import { createSpoolFile } from '../../../src/writer/spool-file.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const log = (line: number): LogContent => ({ type: 'log', text: `line ${line}`, run: 'r', line });

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-spool-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'spool');
}

function drain(t: TestContext, dir: string, write?: (contents: readonly Content[]) => Promise<void>) {
  const written: Content[] = [];
  const notices: string[] = [];
  const spool = new Spool({
    dir,
    firstPauseMs: 5,
    write: write ?? (async (contents) => void written.push(...contents)),
    notice: (text) => notices.push(text),
  });
  t.after(() => spool.close());
  return { spool, written, notices };
}

async function waiting(dir: string): Promise<{ files: number; lines: number }> {
  const { files, lines } = await spoolState(dir);
  return { files, lines };
}

test('what was spooled is written in order and the files are gone', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1), log(2)]);
  await file.close();
  await file.append([log(3)]);
  await file.close();
  assert.deepEqual(await waiting(dir), { files: 2, lines: 3 });
  const { spool, written } = drain(t, dir);
  await spool.start();
  assert.deepEqual(written, [log(1), log(2), log(3)]);
  assert.deepEqual(await waiting(dir), { files: 0, lines: 0 });
});

test('only its owner can read the spool', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600);
});

test('a file that appears later is taken too', async (t) => {
  const dir = directory(t);
  const { spool, written } = drain(t, dir);
  await spool.start();
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  await waitFor('the line is written', () => written.length === 1, { everyMs: 5 });
  assert.deepEqual(written, [log(1)]);
});

test('a run that goes on hands its lines over without being closed', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await waitFor('a file has its final name', () => readdirSync(dir).some((name) => name.endsWith('.jsonl')), {
    everyMs: 5,
  });
  await file.close();
});

test('a file whose writer still lives is left alone, one whose writer was killed is taken', async (t) => {
  const dir = directory(t);
  await createSpoolFile(dir, 'made').close();
  const { spool, written } = drain(t, dir);
  await spool.start();
  await spool.close();
  const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)']).stdout.toString().trim();
  writeFileSync(join(dir, `a-000000000.jsonl.${process.pid}.tmp`), `${JSON.stringify(log(1))}\n`);
  writeFileSync(join(dir, `b-000000000.jsonl.${dead}.tmp`), `${JSON.stringify(log(2))}\n`);
  const second = drain(t, dir);
  await second.spool.start();
  assert.deepEqual(written, []);
  assert.deepEqual(second.written, [log(2)]);
  assert.deepEqual(readdirSync(dir), [`a-000000000.jsonl.${process.pid}.tmp`]);
});

test('a file whose writer was killed is taken although another process has its pid now', async (t) => {
  const dir = directory(t);
  await createSpoolFile(dir, 'made').close();
  const made = createSpoolFile(dir, 'mine');
  await made.append([log(1)]);
  const [mine = ''] = readdirSync(dir).filter((name) => name.endsWith('.tmp'));
  const birth = /\.(\d+)-(\w+)\.tmp$/.exec(mine);
  assert.equal(birth?.[1], String(process.pid), mine);
  const other = mine.replace('mine', 'other').replace(`-${birth?.[2]}.`, '-1.');
  writeFileSync(join(dir, other), `${JSON.stringify({ ...log(2), run: 'other' })}\n`);
  const { spool, written } = drain(t, dir);
  await spool.start();
  assert.deepEqual(written, [{ ...log(2), run: 'other' }]);
  assert.deepEqual(readdirSync(dir), [mine], 'what this process still writes is left alone');
  await made.close();
});

test('a content that cannot be published is set aside, and holds up neither its file nor others', async (t) => {
  const dir = directory(t);
  const inRun = (run: string, line: number) => ({ ...log(line), run });
  for (const [run, lines] of [
    ['a', [1, 2, 3]],
    ['b', [1]],
  ] as const) {
    const file = createSpoolFile(dir, run);
    await file.append(lines.map((line) => inRun(run, line)));
    await file.close();
  }
  const written: Content[] = [];
  const { spool, notices } = drain(t, dir, async (contents) => {
    if (contents.some((content) => content.type === 'log' && content.run === 'a' && content.line === 2)) {
      throw new Error('not a message');
    }
    written.push(...contents);
  });
  await spool.start();
  assert.deepEqual(written, [inRun('b', 1)], 'another run does not wait');
  await waitFor('the file is set aside', () => readdirSync(dir).includes('damaged'), { everyMs: 5 });
  await spool.close();
  assert.deepEqual(written, [inRun('b', 1), inRun('a', 1), inRun('a', 3)]);
  assert.equal(readdirSync(join(dir, 'damaged')).length, 1);
  assert.equal(notices.length, 2, notices.join('\n'));
  assert.match(notices[0] ?? '', /not a message/);
  assert.match(notices[1] ?? '', /1 contents .* cannot be published/);
});

test('a disk that stays full is spoken of once, tried again ever more rarely, and never set aside', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  let attempts = 0;
  const written: Content[] = [];
  const { spool, notices } = drain(t, dir, async (contents) => {
    attempts += 1;
    if (attempts <= 6) throw new SsblogError('store', 'no space left');
    written.push(...contents);
  });
  await spool.start();
  await waitFor('the line is written', () => written.length === 1, { everyMs: 5 });
  await spool.close();
  assert.equal(notices.length, 1, notices.join('\n'));
  assert.deepEqual(readdirSync(dir), []);
  assert.ok(!readdirSync(dir).includes('damaged'));
});

test('a damaged file gives every line that can be read and is set aside', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  const name = readdirSync(dir)[0] as string;
  const text = `${JSON.stringify(log(1))}\n\u0000\u0001 nonsense\n${JSON.stringify(log(2))}\n{"type":"log","te`;
  writeFileSync(join(dir, name), text);
  const { spool, written, notices } = drain(t, dir);
  await spool.start();
  assert.deepEqual(written, [log(1), log(2)]);
  assert.equal(readFileSync(join(dir, 'damaged', name), 'utf8'), text);
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? '', /2 lines/);
});

test('a block that is not what it was is not published', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  const name = readdirSync(dir)[0] as string;
  const records = Array.from({ length: 100 }, (_, index) => ({
    line: 2 + index,
    at: 1000,
    bytes: Buffer.from(`line ${(index * 7919) % 1000}`),
    level: undefined,
    stream: undefined,
    more: false,
  }));
  const block = encodeBlock({ run: 'r', source: 's' }, records);
  const { data } = block;
  const damaged = { ...block, data: `${data.slice(0, 20)}\u5555${data.slice(21)}` };
  const escaped = { ...block, data: '\u0001'.repeat(7_000) };
  writeFileSync(join(dir, name), [log(1), damaged, escaped, block].map((one) => `${JSON.stringify(one)}\n`).join(''));
  const { spool, written, notices } = drain(t, dir);
  await spool.start();
  assert.deepEqual(written, [log(1), block]);
  assert.match(notices[0] ?? '', /2 lines/);
});

test('a file that could not be written stays and is tried again', async (t) => {
  const dir = directory(t);
  const file = createSpoolFile(dir, 'r');
  await file.append([log(1)]);
  await file.close();
  const written: Content[] = [];
  let refusals = 1;
  const { spool, notices } = drain(t, dir, async (contents) => {
    if (refusals-- > 0) throw new Error('disk full');
    written.push(...contents);
  });
  await spool.start();
  assert.match(notices[0] ?? '', /disk full/);
  assert.deepEqual(await waiting(dir), { files: 1, lines: 1 });
  await waitFor('the line is written', () => written.length === 1, { everyMs: 5 });
});
