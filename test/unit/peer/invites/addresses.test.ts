import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { CONFIG_DEFAULTS, type Config } from '../../../../src/config/keys.ts';
import { namingHosts, reachableAddresses } from '../../../../src/peer/invites/addresses.ts';

const address = (text: string, internal = false) => ({ address: text, internal }) as NetworkInterfaceInfo;
const INTERFACES = {
  lo: [address('127.0.0.1', true), address('::1', true)],
  eth0: [address('192.168.1.5'), address('fe80::1'), address('2001:db8::5')],
};
const HOME: Config = { ...CONFIG_DEFAULTS, name: 'a', networkKey: '', port: 7000 };
const LAN = ['net:192.168.1.5:7000', 'net:2001:db8::5:7000'];

const cases: [what: string, config: Partial<Config>, expected: string[]][] = [
  ['all of the LAN, and nothing that is there only', {}, LAN],
  ['what it listens on', { host: '127.0.0.1' }, ['net:127.0.0.1:7000']],
  ['IPv4 only', { host: '0.0.0.0' }, LAN.slice(0, 1)],
  ['what the user says first', { external: ['home.example.org'] }, ['net:home.example.org:7000', ...LAN]],
  [
    'the websockets of a relay',
    { external: ['vps.example.org'], relay: true, wsPort: 7001, host: '0.0.0.0' },
    ['net:vps.example.org:7000', 'ws://vps.example.org:7001', 'net:192.168.1.5:7000'],
  ],
  ['what stands twice once', { external: ['192.168.1.5'], host: '0.0.0.0' }, LAN.slice(0, 1)],
];
for (const [what, config, expected] of cases) {
  test(`a join code has ${what}`, () => {
    assert.deepEqual(reachableAddresses({ ...HOME, ...config }, INTERFACES), expected);
  });
}

const named: [address: string, expected: string[]][] = [
  ['net::::7000~shs:KEY', ['net:192.168.1.5:7000~shs:KEY', 'net:2001:db8::5:7000~shs:KEY']],
  ['net:0.0.0.0:7000~shs:KEY', ['net:192.168.1.5:7000~shs:KEY']],
  ['ws://[::]:7001~shs:KEY', ['ws://192.168.1.5:7001~shs:KEY', 'ws://[2001:db8::5]:7001~shs:KEY']],
  ['net:::1:7000~shs:KEY', ['net:::1:7000~shs:KEY']],
  ['net:192.168.1.5:7000~shs:KEY', ['net:192.168.1.5:7000~shs:KEY']],
  ['ws://0.0.0.0.example.org:7001~shs:KEY', ['ws://0.0.0.0.example.org:7001~shs:KEY']],
];
for (const [address, expected] of named) {
  test(`${address} is told as ${expected.join(' and ')}`, () => {
    assert.deepEqual(namingHosts(address, INTERFACES), expected);
  });
}

test('where there is no network, a listener of all addresses is told as it is', () => {
  assert.deepEqual(namingHosts('net::::7000~shs:KEY', { lo: INTERFACES.lo }), ['net::::7000~shs:KEY']);
});
