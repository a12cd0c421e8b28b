/** Addresses that are no plain numbers. */
import { isIP } from 'node:net';
import { requireOf } from './stock.ts';

interface IpModule {
  isPrivate(address: string): boolean;
}

/**
 * ssb-conn asks the module `ip` whether an address that was reached is of a LAN. It throws at host names and at IPv6
 * addresses with a scope (`fe80::1%eth0`), within an event: that ends the process.
 * @returns a function that leaves the module as it was
 */
export function bearNames(): () => void {
  const ip = requireOf('ssb-conn-hub', requireOf('ssb-conn'))('ip') as IpModule;
  const { isPrivate } = ip;
  ip.isPrivate = (address) => {
    const bare = address.split('%', 1)[0] ?? '';
    return isIP(bare) !== 0 && isPrivate(bare);
  };
  return () => {
    ip.isPrivate = isPrivate;
  };
}
