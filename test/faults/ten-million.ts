/** Ten million lines through `pipe` and out of `assemble`, with the memory of every process under its limit. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { hashTexts } from '../helpers/hash-texts.ts';
import { Machine, randomNetworkKey } from '../helpers/machine.ts';
import { readMemory } from '../helpers/proc.ts';
import type { Running } from '../helpers/running.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { FAULTS_ENGINE } from './node.ts';

const LINES = 10_000_000;
const CHUNK_LINES = 5_000;
/** 200 MB. */
const MAX_KIB = 200_000_000 / 1024;
const DEADLINE_MS = 15 * 60_000;

/** What `assemble` puts before each text. */
const PREFIX = '2026-11-22 03:00:01 [laptop] ';

export function tenMillion(report: string[], skip: string | false): void {
  test('ten million lines pass through in bounded memory', { skip: skip || noProc() }, async (t) => {
    const machine = await Machine.make(sandbox(t), 'laptop', randomNetworkKey(), FAULTS_ENGINE);
    await machine.start();
    const started = Date.now();
    const peaks = new Map<string, number>();
    const pipe = machine.spawn('pipe', '--json');
    const sent = createHash('sha256');
    for (let line = 0; line < LINES; line += CHUNK_LINES) {
      const chunk = Buffer.from(chunkFrom(line));
      sent.update(chunk);
      await pipe.write(chunk);
      notePeak(peaks, 'pipe', pipe);
      notePeak(peaks, 'daemon', machine.daemon);
    }
    pipe.endInput();
    await untilEnded(peaks, 'pipe', pipe);
    assert.equal(pipe.result.code, 0, pipe.result.stderr);
    const { lines, spooled } = JSON.parse(pipe.result.text) as { lines: number; spooled: number };
    assert.deepEqual({ lines, spooled }, { lines: LINES, spooled: 0 });
    const piped = Date.now();

    const file = machine.box.path('combined.log');
    const assemble = machine.spawn('assemble', '-o', file);
    await untilEnded(peaks, 'assemble', assemble);
    assert.equal(assemble.result.code, 0, assemble.result.stderr);
    const assembled = Date.now();
    notePeak(peaks, 'daemon', machine.daemon);
    assert.equal(
      (await hashTexts([file], { prefixBytes: PREFIX.length })).hash,
      sent.digest('hex'),
      'what came out is not what went in',
    );
    note(t, report, peaks, piped - started, assembled - piped);
    for (const [name, kib] of peaks) assert.ok(kib < MAX_KIB, `${name} took ${kib} KiB`);
    assert.equal(await machine.stop(), 0);
  });
}

function note(t: TestContext, report: string[], peaks: Map<string, number>, pipeMs: number, assembleMs: number): void {
  const memory = [...peaks].map(([name, kib]) => `${name} ${Math.round((kib * 1024) / 1_000_000)} MB`).join(', ');
  report.push(`${t.name}: pipe ${pipeMs / 1000} s, assemble ${assembleMs / 1000} s; peaks: ${memory}`);
}

function chunkFrom(first: number): string {
  let text = '';
  for (let line = first; line < first + CHUNK_LINES; line += 1) {
    text += `copied /home/anna/photos/${line % 977}/IMG_${line}.jpg, ${(line * 7919) % 5_000_011} bytes\n`;
  }
  return text;
}

function notePeak(peaks: Map<string, number>, name: string, { pid }: Running): void {
  const memory = readMemory(pid as number);
  if (memory !== undefined) peaks.set(name, Math.max(memory.peakBytes / 1024, peaks.get(name) ?? 0));
}

async function untilEnded(peaks: Map<string, number>, name: string, running: Running): Promise<void> {
  await waitFor(
    `${name} to end`,
    () => {
      notePeak(peaks, name, running);
      return running.hasEnded;
    },
    { deadlineMs: DEADLINE_MS, everyMs: 20, detail: () => running.result.stderr },
  );
}

function noProc(): string | false {
  return process.platform !== 'linux' && 'there is no /proc to read peaks of memory from';
}
