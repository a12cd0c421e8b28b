/** What V8 compiled when dist/ was made saves time, and nothing depends on it. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PROJECT, type Sandbox, sandbox } from '../helpers/sandbox.ts';

const CACHE = join('dist', 'main.cjs.cache');

/** An installation whose files a test may change. */
function install(t: TestContext): { box: Sandbox; script: string; cache: string } {
  const box = sandbox(t);
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(PROJECT, name), box.path('ssblog', name), { recursive: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), box.path('ssblog', 'node_modules'));
  return { box, script: box.path('ssblog', 'bin', 'ssblog.js'), cache: box.path('ssblog', CACHE) };
}

test('V8 takes the cache that the build made', async (t) => {
  const { box, script } = install(t);
  const code = `process.on('exit', () => process.stderr.write(String(require(${JSON.stringify(script)}).cachedDataRejected)));
    require(${JSON.stringify(script)});`;
  const { stderr, code: exit } = await box.run(process.execPath, ['--eval', code, 'ssblog', '--version']);
  assert.deepEqual([stderr, exit], ['false', 0]);
});

const spoiled: Readonly<Record<string, (cache: string) => void>> = {
  'is missing': (cache) => rmSync(cache),
  'is empty': (cache) => truncateSync(cache, 0),
  'is cut off': (cache) => truncateSync(cache, 100_000),
  'is of another version of V8': (cache) => {
    const bytes = readFileSync(cache);
    bytes.writeUInt32LE(bytes.readUInt32LE(4) ^ 1, 4); // after the magic number: a hash of the version
    writeFileSync(cache, bytes);
  },
};

for (const [state, spoil] of Object.entries(spoiled)) {
  test(`the program runs when its cache ${state}`, async (t) => {
    const { box, script, cache } = install(t);
    spoil(cache);
    const { text, stderr, code } = await box.run(process.execPath, [script, '--version']);
    assert.deepEqual([text, stderr, code], [`${version()}\n`, '', 0]);
  });
}

test('the program runs when V8 has other flags than the build had', async (t) => {
  const { box, script } = install(t);
  const { text, code } = await box.run(process.execPath, ['--no-opt', script, '--version']);
  assert.deepEqual([text, code], [`${version()}\n`, 0]);
});

function version(): string {
  return (JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string }).version;
}
