/** Where other machines may reach this one. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const MAX_IPV4 = 6;
/** Hosts have many of them, temporary ones too, and they make a join code long. */
const MAX_IPV6 = 2;

/**
 * @param host what this machine listens on; undefined: everything
 * @returns `net:HOST:PORT`, those that are most likely to be reached first; empty when there is no network
 */
export function reachableAddresses(
  { host, port }: { readonly host?: string | undefined; readonly port: number },
  interfaces = networkInterfaces(),
): string[] {
  const isEverything = host === undefined || host === '::' || host === '0.0.0.0';
  if (!isEverything) return [`net:${host}:${port}`];
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal }) => !internal).map(({ address }) => address);
  const ipv4 = outside.filter((address) => !isIPv6(address) && !address.startsWith('169.254.'));
  // fe80::… means nothing without the name of the interface, which is another one there.
  const ipv6 = host === '0.0.0.0' ? [] : outside.filter((address) => isIPv6(address) && !/^fe[89ab]/i.test(address));
  return [...ipv4.slice(0, MAX_IPV4), ...ipv6.slice(0, MAX_IPV6)].map((address) => `net:${address}:${port}`);
}
