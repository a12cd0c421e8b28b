import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const FLAGS = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'v8-flags.ts');

test('V8 knows the flags that it is given: of others it would tell whoever runs a job', () => {
  const code = `import { collectEarly, keepHeapSmall, optimizeLater } from ${JSON.stringify(FLAGS)}; keepHeapSmall(); optimizeLater(); collectEarly();`;
  const words = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});
