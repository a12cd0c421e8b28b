/** Where other machines may reach this one. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { externalAddresses } from '../../config/external.ts';
import type { Config } from '../../config/keys.ts';

const MAX_IPV4 = 6;
/** Hosts have many of them, temporary ones too, and they make a join code long. */
const MAX_IPV6 = 2;

/**
 * @returns what the user says first, then `net:HOST:PORT` of what this machine listens on, those that are most likely to
 *   be reached first; empty when there is no network
 */
export function reachableAddresses(config: Config, interfaces = networkInterfaces()): string[] {
  return [...new Set([...externalAddresses(config), ...ownAddresses(config, interfaces)])];
}

function ownAddresses({ host, port }: Config, interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const isEverything = host === undefined || host === '::' || host === '0.0.0.0';
  if (!isEverything) return [`net:${host}:${port}`];
  return ownHosts(host, interfaces).map((address) => `net:${address}:${port}`);
}

/** `net:::` and a port, `ws://[::]:` or `0.0.0.0`, as multiserver names a listener of all addresses. */
const EVERYTHING = /^(net:|wss?:\/\/)(::|\[::\]|0\.0\.0\.0)(:\d+(?:~.*)?)$/;

/** Nobody can dial "all addresses". @returns the address, or in its place one for each of this machine's */
export function namingHosts(address: string, interfaces = networkInterfaces()): string[] {
  const [, scheme = '', host, rest = ''] = EVERYTHING.exec(address) ?? [];
  if (host === undefined) return [address];
  const hosts = ownHosts(host === '0.0.0.0' ? host : '::', interfaces);
  const isUrl = scheme.endsWith('//');
  return hosts.length === 0
    ? [address]
    : hosts.map((own) => `${scheme}${isUrl && isIPv6(own) ? `[${own}]` : own}${rest}`);
}

/** Those that are most likely to be reached first. @param host `0.0.0.0`: IPv4 only */
function ownHosts(host: string | undefined, interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal }) => !internal).map(({ address }) => address);
  const ipv4 = outside.filter((address) => !isIPv6(address) && !address.startsWith('169.254.'));
  // fe80::… means nothing without the name of the interface, which is another one there.
  const ipv6 = host === '0.0.0.0' ? [] : outside.filter((address) => isIPv6(address) && !/^fe[89ab]/i.test(address));
  return [...ipv4.slice(0, MAX_IPV4), ...ipv6.slice(0, MAX_IPV6)];
}
