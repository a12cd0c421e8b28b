import assert from 'node:assert/strict';
import { sign, verify } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readIdentity } from '../../../src/config/identity.ts';
import { initMachine } from '../../../src/config/init.ts';
import { machinePaths } from '../../../src/config/paths.ts';

const ssbKeys = createRequire(import.meta.url)('ssb-keys') as {
  loadSync(file: string): { id: string; public: string; private: string; curve: string };
  createSync(file: string): { id: string };
  signObj(keys: object, value: object): { signature: string };
  verifyObj(keys: object, value: object): boolean;
};

function directory(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'ssblog-init-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return join(root, 'machine');
}

const init = (dir: string, values = {}) => initMachine({ dir, values, defaultName: 'here' });

test('a machine is made with files that only its owner can read', (t) => {
  const dir = directory(t);
  const { config } = init(dir, { port: '1234' });
  assert.equal(config.name, 'here');
  assert.equal(config.port, 1234);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, 'config.json')).mode & 0o777, 0o600);
  assert.equal(statSync(join(dir, 'secret')).mode & 0o777, 0o400);
});

test('ssb-keys reads the identity and signs with it', (t) => {
  const dir = directory(t);
  const { identity } = init(dir);
  const keys = ssbKeys.loadSync(join(dir, 'secret'));
  assert.deepEqual({ ...keys }, { ...identity });
  assert.ok(ssbKeys.verifyObj(keys, ssbKeys.signObj(keys, { a: 1 })));
});

test('an identity that ssb-keys made is read', (t) => {
  const dir = directory(t);
  mkdirSync(dir);
  const { id } = ssbKeys.createSync(join(dir, 'secret'));
  assert.equal(readIdentity(machinePaths(dir)).id, id);
});

test('nothing is overwritten', (t) => {
  const dir = directory(t);
  init(dir);
  const before = readFileSync(join(dir, 'config.json'), 'utf8');
  assert.throws(() => init(dir), { code: 'exists' });
  assert.equal(readFileSync(join(dir, 'config.json'), 'utf8'), before);
});

test('the directory of a stock server is taken over only with its network key', (t) => {
  const dir = directory(t);
  mkdirSync(dir);
  const { id } = ssbKeys.createSync(join(dir, 'secret'));
  assert.throws(() => init(dir), { code: 'exists' });
  assert.ok(!existsSync(join(dir, 'config.json')));
  const { identity } = init(dir, { networkKey: Buffer.alloc(32, 1).toString('base64') });
  assert.equal(identity.id, id);
});

test('a wrong value makes nothing', (t) => {
  const dir = directory(t);
  assert.throws(() => init(dir, { port: 'x' }), { code: 'usage', message: /^--port must be/ });
  assert.ok(!existsSync(dir));
});

test('a directory that holds something else is left alone', (t) => {
  const dir = directory(t);
  mkdirSync(dir);
  writeFileSync(join(dir, 'letter.txt'), 'dear');
  assert.throws(() => init(dir), { code: 'exists' });
});

const damages: [title: string, damage: (file: string) => void, message: RegExp][] = [
  ['that is missing', (file) => rmSync(file), /there is no/],
  ['that others can read', (file) => chmodSync(file, 0o440), /open to other users \(mode 0440\)/],
  ['that is empty', (file) => rewrite(file, () => ''), /damaged/],
  ['that ends too soon', (file) => rewrite(file, (text) => text.slice(0, 300)), /damaged/],
  ['of another key', (file) => rewrite(file, (text) => text.replace(/"public": "./, '"public": "!')), /damaged/],
];

function rewrite(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  chmodSync(file, 0o600);
  writeFileSync(file, change(text));
  chmodSync(file, 0o400);
}

for (const [title, damage, message] of damages) {
  test(`a secret ${title} is refused and never made anew`, (t) => {
    const dir = directory(t);
    init(dir);
    damage(join(dir, 'secret'));
    assert.throws(() => readIdentity(machinePaths(dir)), { code: 'config', message });
  });
}

test('the key pair is one that Node signs and verifies with', (t) => {
  const { identity } = init(directory(t));
  const bytes = Buffer.from(identity.private.replace('.ed25519', ''), 'base64');
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    d: bytes.subarray(0, 32).toString('base64url'),
    x: bytes.subarray(32).toString('base64url'),
  };
  const signature = sign(null, Buffer.from('x'), { key: jwk, format: 'jwk' });
  assert.ok(verify(null, Buffer.from('x'), { key: { ...jwk, d: undefined } as never, format: 'jwk' }, signature));
});
