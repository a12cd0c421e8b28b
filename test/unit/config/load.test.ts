import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConfigSources, loadConfig } from '../../../src/config/load.ts';
import type { SsblogError } from '../../../src/errors.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

function machine(t: TestContext, config: unknown): string {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-config-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const text = typeof config === 'string' ? config : JSON.stringify(config, null, 2);
  writeFileSync(join(dir, 'config.json'), text);
  return dir;
}

const load = (dir: string, more: Partial<ConfigSources> = {}) =>
  loadConfig({ dir, flags: {}, environment: {}, ...more });

test('a flag outweighs the environment, that the file, and that the default', (t) => {
  const dir = machine(t, { name: 'file', networkKey: KEY, port: 1000, hops: 2, lan: true });
  const { config, origins } = load(dir, {
    flags: { port: '3000' },
    environment: { SSBLOG_PORT: '2000', SSBLOG_HOPS: '4', SSBLOG_LAN: 'false' },
  });
  assert.deepEqual(config, { name: 'file', networkKey: KEY, port: 3000, hops: 4, engine: config.engine, lan: false });
  assert.deepEqual(origins, {
    name: 'file',
    networkKey: 'file',
    port: 'flag',
    hops: 'environment',
    engine: 'default',
    lan: 'environment',
  });
});

test('a directory without config.json holds no machine', () => {
  assert.throws(() => load('/nonexistent'), { code: 'no-machine', exitCode: 2 });
});

const broken: [title: string, config: unknown, more: Partial<ConfigSources>, code: string, message: RegExp][] = [
  ['text that is no JSON', '{\n  "name": "a",\n  "port" 1\n}', {}, 'config', /config\.json:3: not valid JSON/],
  ['text that ends too soon', '{\n  "name": "a"\n', {}, 'config', /config\.json:2: not valid JSON/],
  ['JSON that is no object', '[]', {}, 'config', /one JSON object/],
  ['an unknown key', { name: 'a', networkKey: KEY, prot: 1 }, {}, 'config', /config\.json:4: unknown key "prot"/],
  ['a wrong value', { name: 'a', networkKey: KEY, port: 'x' }, {}, 'config', /config\.json:4: "port" must be a port/],
  ['a missing value', { name: 'a' }, {}, 'config', /"networkKey" is missing/],
  ['a network key that is no key', { name: 'a', networkKey: 'abc' }, {}, 'config', /:3: "networkKey" must be 32 bytes/],
  ['a name with a control character', { name: 'a\u001b', networkKey: KEY }, {}, 'config', /:2: "name" must not hold/],
  ['a wrong flag', { name: 'a', networkKey: KEY }, { flags: { port: '0' } }, 'usage', /^--port must be a port/],
  ['a text for a switch', { name: 'a', networkKey: KEY, lan: 'no' }, {}, 'config', /:4: "lan" must be true or false/],
  [
    'a wrong variable',
    { name: 'a', networkKey: KEY },
    { environment: { SSBLOG_NETWORK_KEY: 'x' } },
    'usage',
    /^SSBLOG_NETWORK_KEY must be/,
  ],
];

for (const [title, config, more, code, message] of broken) {
  test(`${title} is named, with where it stands`, (t) => {
    const dir = machine(t, config);
    assert.throws(
      () => load(dir, more),
      (error: SsblogError) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.equal(error.exitCode, 2);
        return true;
      },
    );
  });
}
