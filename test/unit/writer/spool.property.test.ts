import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { encodeLog } from '../../../src/message/log.ts';
import { fits } from '../../../src/message/size.ts';
import { Spool, spoolState } from '../../../src/writer/spool.ts';
import { createSpoolFile } from '../../../src/writer/spool-file.ts';
import { runLabels, runRecords } from '../../helpers/arbitrary.ts';

test('what was spooled comes back content by content, in its order', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-spool-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const content = fc
    .tuple(runLabels, runRecords(10, 300), fc.boolean())
    .map(([labels, records, isBlock]): Content => {
      const [first] = records;
      return isBlock || first === undefined ? encodeBlock(labels, records) : encodeLog(labels, first);
    })
    .filter(fits);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(content, { maxLength: 8 }), { maxLength: 4 }), async (files) => {
      runs += 1;
      const spoolDir = join(dir, String(runs));
      const file = createSpoolFile(spoolDir, 'run');
      for (const contents of files) {
        await file.append(contents);
        await file.close();
      }
      const written: Content[] = [];
      const notices: string[] = [];
      const write = async (contents: readonly Content[]) => void written.push(...contents);
      const spool = new Spool({ dir: spoolDir, write, notice: (text) => notices.push(text) });
      await spool.start();
      await spool.close();
      assert.deepEqual(notices, []);
      assert.deepEqual(written, files.flat());
      const { files: left, lines } = await spoolState(spoolDir);
      assert.deepEqual([left, lines], [0, 0]);
    }),
    { numRuns: 40, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  );
});
