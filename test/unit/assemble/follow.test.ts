import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { followLines } from '../../../src/assemble/follow.ts';
import { type LogLines, OpenLines } from '../../../src/assemble/lines.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { openMirror, openStore } from '../../../src/store/open.ts';

const FEED = `@${'A'.repeat(43)}=.ed25519`;

function message(sequence: number, content: object): SignedMessage {
  const digest = String(sequence).padStart(43, 'A');
  return {
    key: `%${digest}=.sha256`,
    value: {
      previous: null,
      author: FEED,
      sequence,
      timestamp: sequence,
      hash: 'sha256',
      content: { type: 'log', run: 'r', line: sequence, ...content },
      signature: '',
    },
    timestamp: sequence,
  };
}

/** A store that is filled through one connection and followed through another, as two processes do it. */
function setup(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-follow-'));
  const file = join(dir, 'store.db');
  const writer = openMirror(file).store;
  const reader = openStore(file, { readOnly: true });
  const controller = new AbortController();
  const lines = followLines(
    reader,
    {},
    { afterRow: reader.lastRow(), nameOf: () => 'here', openLines: new OpenLines(), signal: controller.signal },
  );
  t.after(async () => {
    controller.abort();
    await lines.return(undefined); // closes its watcher
    reader.close();
    writer.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const next = async (): Promise<string[]> => {
    const { value } = (await lines.next()) as { value: LogLines | undefined };
    return Array.from(value ?? [], ({ bytes }) => bytes.toString());
  };
  return { writer, next, controller, file };
}

test('lines come as they arrive', async (t) => {
  const { writer, next } = setup(t);
  const first = next();
  writer.ingest([message(1, { text: 'one' })]);
  assert.deepEqual(await first, ['one']);
  writer.ingest([message(2, { text: 'two' }), message(3, { text: 'three' })]);
  assert.deepEqual(await next(), ['two', 'three']);
});

test('a long line comes when it is complete', async (t) => {
  const { writer, next } = setup(t);
  const first = next();
  writer.ingest([message(1, { text: 'one ', more: true })]);
  writer.ingest([message(2, { text: 'line' })]);
  assert.deepEqual(await first, ['one line']);
});

test('a long line whose end never came is shown when following ends', async (t) => {
  const { writer, next, controller } = setup(t);
  const first = next();
  writer.ingest([message(1, { text: 'whole' }), message(2, { text: 'half a', more: true })]);
  assert.deepEqual(await first, ['whole']);
  const last = next();
  controller.abort();
  assert.deepEqual(await last, ['half a']);
  assert.deepEqual(await next(), []);
});

test('a store that is made anew ends the following with a clear word', async (t) => {
  const { writer, next, file } = setup(t);
  const first = next();
  rmSync(file);
  openMirror(file).store.close();
  writer.ingest([message(1, { text: 'lost' })]);
  await assert.rejects(first.then(next), { code: 'store' });
});
