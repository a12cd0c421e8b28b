import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { describeLinks, linkOf, linksOf } from '../../../../src/peer/lan/links.ts';

function four(cidr: string, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address: cidr.split('/')[0] as string, netmask: '', mac: '', internal, cidr };
}

function six(cidr: string, scopeid = 0, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv6', address: cidr.split('/')[0] as string, netmask: '', mac: '', internal, cidr, scopeid };
}

const HOST = {
  lo: [four('127.0.0.1/8', true), six('::1/128', 0, true)],
  eth0: [four('192.168.1.5/24'), six('2001:db8::5/64'), six('fe80::5/64', 2)],
  wlan0: [four('10.1.2.3/20')],
  docker0: [four('172.17.0.1/16')],
  veth1a2b: [six('fe80::77/64', 9)],
  tun0: [four('10.8.0.2/32')],
  odd: [{ ...four('10.9.0.1/24'), cidr: null }],
};

const places = (host?: string) => linksOf(HOST, host).map(({ name, address, everybody }) => [name, address, everybody]);

test('every network is spoken to at its own address; tunnels, containers and loopback are left out', () => {
  assert.deepEqual(places(), [
    ['eth0', '192.168.1.5', '192.168.1.255'],
    ['eth0', 'fe80::5', 'ff12::1f52:8018%eth0'],
    ['wlan0', '10.1.2.3', '10.1.15.255'],
    ['docker0', '172.17.0.1', '172.17.255.255'],
  ]);
  assert.deepEqual(places('::'), places());
});

for (const [host, expected] of [
  ['0.0.0.0', ['192.168.1.5', '10.1.2.3', '172.17.0.1']],
  ['192.168.1.5', ['192.168.1.5']],
  ['127.0.0.1', ['127.0.0.1']],
  ['fe80::5%eth0', ['fe80::5']],
  ['nas.example', []],
] as const) {
  test(`who listens on ${host} only shows itself nowhere else`, () => {
    assert.deepEqual(
      places(host).map(([, address]) => address),
      expected,
    );
  });
}

for (const [source, name] of [
  ['192.168.1.77', 'eth0'],
  ['fe80::99%eth0', 'eth0'],
  ['fe80::99%wlan0', undefined],
  ['10.1.15.1', 'wlan0'],
  ['10.1.16.1', undefined],
  ['8.8.8.8', undefined],
] as const) {
  test(`a packet from ${source} ${name ? `came over ${name}` : 'is of no network here'}`, () => {
    assert.equal(linkOf(linksOf(HOST, undefined), source)?.name, name);
  });
}

test('another address, prefix or interface is another network; their order is not', () => {
  const seen = describeLinks(linksOf(HOST, undefined));
  const { eth0, ...rest } = HOST;
  assert.equal(describeLinks(linksOf({ ...rest, eth0 }, undefined)), seen);
  assert.notEqual(describeLinks(linksOf({ ...HOST, eth0: [four('192.168.2.5/24')] }, undefined)), seen);
  assert.notEqual(describeLinks(linksOf(rest, undefined)), seen);
});
