/** What V8 compiled when dist/ was made saves time, and nothing else depends on it. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PROJECT, type Sandbox, sandbox } from '../helpers/sandbox.ts';

const VERSION = (JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string }).version;

interface Installation {
  readonly box: Sandbox;
  readonly script: string;
  readonly main: string;
  readonly cache: string;
}

/** Files that a test may change. */
function install(t: TestContext): Installation {
  const box = sandbox(t);
  const dir = box.path('some where', 'ssblog');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(PROJECT, name), join(dir, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(dir, 'node_modules'));
  const main = join(dir, 'dist', 'main.cjs');
  return { box, script: join(dir, 'bin', 'ssblog.js'), main, cache: `${main}.cache` };
}

/** The program runs. @returns whether it ran with the cache */
async function usesCache({ box, script }: Installation, node = process.execPath, flags: string[] = []) {
  const path = JSON.stringify(script);
  const code = `const ssblog = require(${path}); process.on('exit', () => process.stderr.write(String(ssblog.hasCache)));`;
  const { text, stderr, code: exit } = await box.run(node, [...flags, '--eval', code, 'ssblog', '--version']);
  assert.deepEqual([text, exit], [`${VERSION}\n`, 0], stderr);
  return stderr === 'true';
}

function overwrite(file: string, at: number, change: (byte: number) => number): void {
  const bytes = readFileSync(file);
  bytes[at] = change(bytes[at] as number);
  writeFileSync(file, bytes);
}

test('V8 takes the cache that the build made', async (t) => {
  assert.equal(await usesCache(install(t)), true);
});

test('a link to the program is as good, as npm makes one', async (t) => {
  const { box, script } = install(t);
  symlinkSync(script, box.path('ssblog'));
  const { text, code } = await box.run(process.execPath, [box.path('ssblog'), '--version']);
  assert.deepEqual([text, code], [`${VERSION}\n`, 0]);
});

const spoiled: Readonly<Record<string, (installation: Installation) => void>> = {
  'is missing': ({ cache }) => rmSync(cache),
  'is empty': ({ cache }) => truncateSync(cache, 0),
  'is cut off': ({ cache }) => truncateSync(cache, 100_000),
  'is a directory': ({ cache }) => {
    rmSync(cache);
    mkdirSync(cache);
  },
  'is damaged where V8 looks': ({ cache }) => overwrite(cache, 40, (byte) => byte ^ 1),
  'is damaged where V8 does not look': ({ cache }) => overwrite(cache, 200_000, (byte) => byte ^ 1),
  'is that of another text of the same length': ({ main }) =>
    overwrite(main, readFileSync(main, 'latin1').indexOf('// src/') + 3, (byte) => byte ^ 0x20),
};

for (const [state, spoil] of Object.entries(spoiled)) {
  test(`the program runs without its cache when that ${state}`, async (t) => {
    const installation = install(t);
    spoil(installation);
    assert.equal(await usesCache(installation), false);
  });
}

test('another Node runs without it, even one that V8 cannot tell from the one of the build', async (t) => {
  const installation = install(t);
  const node = installation.box.path('node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  utimesSync(node, 1, 1);
  assert.equal(await usesCache(installation, node), false);
});

test('V8 with other flags than the build had runs without it', async (t) => {
  assert.equal(await usesCache(install(t), process.execPath, ['--no-opt']), false);
});

test('the program is ASCII, as it is read', () => {
  assert.match(readFileSync(join(PROJECT, 'dist', 'main.cjs'), 'latin1'), /^\p{ASCII}*$/u);
});
