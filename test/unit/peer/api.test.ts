import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { apiPlugin } from '../../../src/peer/api.ts';

const line = { line: 1, at: 1000, bytes: Buffer.from('x'), level: undefined, stream: undefined, more: false };
const block = encodeBlock({ run: 'r', source: 's' }, [line]);

/** What `ssblog.write` answers, and what reached the writer. */
async function write(contents: unknown): Promise<{ error: Error | null; written: readonly Content[] }> {
  const written: Content[] = [];
  const peer = { write: async (some: readonly Content[]) => void written.push(...some) };
  const { init } = apiPlugin(async () => peer as never, {} as never) as {
    init(): { write(contents: unknown, callback: (error: Error | null) => void): void };
  };
  const error = await new Promise<Error | null>((resolve) => init().write(contents, resolve));
  return { error, written };
}

test('lines and blocks are written', async () => {
  const { error, written } = await write([{ type: 'log', text: 'x' }, block]);
  assert.equal(error, null);
  assert.deepEqual(written, [{ type: 'log', text: 'x' }, block]);
});

for (const [title, content] of [
  ['another type', { type: 'post', text: 'x' }],
  ['a block without its lines', { ...block, lines: undefined }],
  ['a block whose data is not in its encoding', { ...block, data: 'QUFB' }],
  ['a block whose data JSON would escape', { ...block, data: '\u0001'.repeat(7_000) }],
] as const) {
  test(`${title} is refused, and what came with it`, async () => {
    const { error, written } = await write([{ type: 'log', text: 'x' }, content]);
    assert.match(error?.message ?? '', /not a content of ssblog/);
    assert.deepEqual(written, []);
  });
}
