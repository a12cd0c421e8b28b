import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externalAddresses, isExternal } from '../../../src/config/external.ts';
import { CONFIG_DEFAULTS, type Config } from '../../../src/config/keys.ts';

const config = (external: string[], relay = true): Config => ({
  ...CONFIG_DEFAULTS,
  ...{ name: 'vps', networkKey: '', port: 7000, wsPort: 7001, relay, external },
});

test('a host name stands for the ports of the machine', () => {
  assert.deepEqual(externalAddresses(config(['vps.example.org'])), [
    'net:vps.example.org:7000',
    'ws://vps.example.org:7001',
  ]);
  assert.deepEqual(externalAddresses(config(['vps.example.org'], false)), ['net:vps.example.org:7000']);
});

test('IPv6 addresses stand in brackets only in a URL', () => {
  const expected = ['net:2001:db8::1:7000', 'ws://[2001:db8::1]:7001'];
  assert.deepEqual(externalAddresses(config(['2001:db8::1'])), expected);
  assert.deepEqual(externalAddresses(config(['[2001:db8::1]'])), expected);
});

test('whole addresses are taken as they are', () => {
  const whole = ['net:203.0.113.5:443', 'wss://logs.example.org/ssb'];
  assert.deepEqual(externalAddresses(config(whole)), whole);
});

const judged: [text: string, isGood: boolean][] = [
  ['vps', true],
  ['203.0.113.5', true],
  ['net:vps.example.org:1', true],
  ['net:[2001:db8::1]:1', true],
  ['ws://vps.example.org', true],
  ['wss://vps.example.org:8443/a/b', true],
  ['', false],
  ['-vps', false],
  ['vps_1', false],
  ['a b', false],
  ['vps.example.org:8018', false],
  ['net:vps.example.org', false],
  ['net:vps.example.org:0', false],
  ['net:vps.example.org:65536', false],
  ['net:vps:1~shs:AAAA', false],
  ['net:a:1;net:b:2', false],
  ['http://vps.example.org', false],
  ['ws://', false],
  ['ws://user:password@vps', false],
  ['wss://vps?x', false],
  [`${'a.'.repeat(127)}a`, false],
];

for (const [text, isGood] of judged) {
  test(`${JSON.stringify(text)} is ${isGood ? 'an' : 'no'} external address`, () => {
    assert.equal(isExternal(text), isGood);
  });
}
