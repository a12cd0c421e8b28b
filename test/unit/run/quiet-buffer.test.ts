import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { QuietBuffer } from '../../../src/run/quiet-buffer.ts';

function buffer(t: TestContext, files?: readonly string[]) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const shown: string[] = [];
  const reasons: unknown[] = [];
  const quiet = new QuietBuffer({
    files: files ?? [join(dir, 'spilled')],
    show: async ({ stream, bytes }) => {
      shown.push(`${stream} ${bytes}`);
    },
    onFull: (reason) => reasons.push(reason),
    maxMemoryBytes: 10,
  });
  const add = (stream: 'stdout' | 'stderr', text: string) => quiet.add({ stream, bytes: Buffer.from(text) });
  return { dir, shown, reasons, quiet, add };
}

const CHUNKS = Array.from(
  { length: 50 },
  (_, index) => [index % 3 === 0 ? 'stderr' : 'stdout', `chunk ${index}`] as const,
);
const TEXTS = CHUNKS.map(([stream, text]) => `${stream} ${text}`);

test('what is kept is shown in order and by stream, and then what comes', async (t) => {
  const { dir, shown, quiet, add } = buffer(t);
  for (const [stream, text] of CHUNKS) await add(stream, text);
  assert.deepEqual(shown, []);
  assert.deepEqual(readdirSync(dir), [], 'its file has no name');
  await Promise.all([quiet.show(), add('stderr', 'later')]);
  assert.deepEqual(shown, [...TEXTS, 'stderr later']);
});

test('where no file can be made, everything is shown, and why is said once', async (t) => {
  const { shown, reasons, quiet, add } = buffer(t, ['/nowhere/a', '/nowhere/b']);
  for (const [stream, text] of CHUNKS) await add(stream, text);
  await quiet.show();
  assert.deepEqual(shown, TEXTS);
  assert.equal(reasons.length, 1);
});
