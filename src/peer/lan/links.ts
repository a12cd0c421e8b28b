/** The networks that this machine stands in now, of those on which its port can be reached. Pure. */
import { BlockList, isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

export interface Link {
  /** Name of the interface. */
  readonly name: string;
  readonly family: 'IPv4' | 'IPv6';
  /** This machine's address in it, without a scope. */
  readonly address: string;
  /** Where a packet for everybody in it goes. */
  readonly everybody: string;
  readonly prefix: number;
}

/** Of those that are nobody's, for as long as it is known on the link only (RFC 4291: ff1x is not registered). */
export const MULTICAST_GROUP = 'ff12::1f52:8018';

/** The host's ends of cables to containers, which come and go with them: the bridge that they are plugged into counts. */
const CONTAINER_END = /^veth/;

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** @param host what the peer listens on; undefined: everything */
export function linksOf(interfaces: Interfaces, host: string | undefined): Link[] {
  const links: Link[] = [];
  for (const [name, infos] of Object.entries(interfaces)) {
    if (CONTAINER_END.test(name)) continue;
    const reachable = (infos ?? []).filter((info) => isListening(info, host));
    for (const info of reachable) {
      const link = info.family === 'IPv4' ? broadcastLink(name, info) : undefined;
      if (link !== undefined) links.push(link);
    }
    const six = reachable.filter(({ family }) => family === 'IPv6');
    const chosen = six.find(({ scopeid }) => scopeid) ?? six[0];
    if (chosen !== undefined) {
      const { address, cidr } = chosen;
      const everybody = `${MULTICAST_GROUP}%${name}`;
      links.push({ name, family: 'IPv6', address: bare(address), everybody, prefix: prefixOf(cidr) });
    }
  }
  return links;
}

/** Whoever listens on loopback only is reached there only, and nobody else ever looks there. */
function isListening({ address, family, internal }: NetworkInterfaceInfo, host: string | undefined): boolean {
  if (host === undefined || host === '::') return !internal;
  if (host === '0.0.0.0') return !internal && family === 'IPv4';
  return bare(address) === bare(host);
}

function broadcastLink(name: string, { address, cidr }: NetworkInterfaceInfo): Link | undefined {
  const prefix = prefixOf(cidr);
  if (prefix > 30) return undefined; // nobody else there, or one other: a tunnel
  const host = 0xffff_ffff >>> prefix;
  const everybody = (addressNumber(address) | host) >>> 0;
  return { name, family: 'IPv4', address, everybody: addressOf(everybody), prefix };
}

/** @param source of a packet, perhaps with a scope. @returns the link that it came over, if it is of one of these */
export function linkOf(links: readonly Link[], source: string): Link | undefined {
  const [address = '', scope] = source.split('%');
  const family = isIP(address) === 6 ? 'IPv6' : 'IPv4';
  return links.find((link) => {
    if (link.family !== family || (scope !== undefined && scope !== link.name)) return false;
    const subnet = new BlockList();
    subnet.addSubnet(link.address, link.prefix, family === 'IPv6' ? 'ipv6' : 'ipv4');
    return subnet.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4');
  });
}

/** One text for one set of networks: it differs when the machine is somewhere else. */
export function describeLinks(links: readonly Link[]): string {
  return links
    .map(({ name, address, prefix }) => `${name} ${address}/${prefix}`)
    .sort()
    .join('\n');
}

export function bare(address: string): string {
  return address.split('%', 1)[0] ?? address;
}

function prefixOf(cidr: string | null): number {
  return Number(cidr?.split('/')[1] ?? 128); // null: a mask with gaps, which is no network
}

function addressNumber(address: string): number {
  return address.split('.').reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
