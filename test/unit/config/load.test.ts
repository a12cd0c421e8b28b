import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CONFIG_DEFAULTS } from '../../../src/config/keys.ts';
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
  assert.deepEqual(config, { ...CONFIG_DEFAULTS, name: 'file', networkKey: KEY, port: 3000, hops: 4, lan: false });
  const byDefault = Object.fromEntries(Object.keys(CONFIG_DEFAULTS).map((key) => [key, 'default']));
  const given = { name: 'file', networkKey: 'file', port: 'flag', hops: 'environment', lan: 'environment' };
  assert.deepEqual(origins, { ...byDefault, ...given });
});

test('a switch and addresses may be text, as flags and the environment have them', (t) => {
  const dir = machine(t, { name: 'file', networkKey: KEY, external: ['a.example.org'] });
  const environment = { SSBLOG_RELAY: 'true', SSBLOG_EXTERNAL: 'b.example.org, wss://c.example.org/ssb' };
  const { config } = load(dir, { environment });
  assert.equal(config.relay, true);
  assert.deepEqual(config.external, ['b.example.org', 'wss://c.example.org/ssb']);
  assert.deepEqual(load(dir).config.external, ['a.example.org']);
});

test('a machine that is no relay may have any port', (t) => {
  const dir = machine(t, { name: 'a', networkKey: KEY, port: CONFIG_DEFAULTS.wsPort });
  assert.equal(load(dir).config.port, CONFIG_DEFAULTS.wsPort);
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
  ['a switch that is neither', { name: 'a', networkKey: KEY }, { flags: { relay: 'on' } }, 'usage', /^--relay must be/],
  [
    'an address that is none',
    { name: 'a', networkKey: KEY, external: ['vps.example.org', 'http://x'] },
    {},
    'config',
    /:4: "external" must be host names, or addresses/,
  ],
  [
    'one port for two listeners',
    { name: 'a', networkKey: KEY, relay: true, port: CONFIG_DEFAULTS.wsPort },
    {},
    'config',
    /^"wsPort", which is not set, must be another port/,
  ],
  [
    'one port for two listeners, by flag',
    { name: 'a', networkKey: KEY, relay: true, port: 7000 },
    { flags: { wsPort: '7000' } },
    'usage',
    /^--ws-port must be another port/,
  ],
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
