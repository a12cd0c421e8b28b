/**
 * Packets to and from everybody on the networks at hand: IPv4 broadcast and IPv6 multicast, a socket for each network
 * to send, so that each packet has the address of its network, and one for each family to hear. Whatever fails on one
 * network leaves the others alone, and is tried again.
 */
import { createSocket, type Socket } from 'node:dgram';
import { systemCode } from '../../errors.ts';
import { bare, type Link, MULTICAST_GROUP } from './links.ts';

/** The number of ssblog's TCP port: one number for firewalls. All machines on one host share it. */
const LAN_PORT = 8018;

type Family = Link['family'];

export interface LanSockets {
  /** Takes these networks in the place of those before. */
  use(links: readonly Link[]): void;
  send(link: Link, packet: Buffer): void;
  /** Why the network cannot be used now; undefined when all is well. */
  problem(link: Link): string | undefined;
  close(): void;
}

export function openLanSockets(onPacket: (packet: Buffer, source: string) => void): LanSockets {
  const senders = new Map<Link, Socket>();
  const receivers = new Map<Family, Socket>();
  const problems = new Map<Link | Family, string>();
  let links: readonly Link[] = [];

  const closeAll = () => {
    for (const socket of [...senders.values(), ...receivers.values()]) closeSocket(socket);
    senders.clear();
    receivers.clear();
    problems.clear();
  };

  const drop = <K extends Link | Family>(sockets: Map<K, Socket>, key: K, socket: Socket, error: Error) => {
    closeSocket(socket);
    if (sockets.get(key) !== socket) return; // of a network that is not used any more
    sockets.delete(key);
    problems.set(key, systemCode(error) ?? error.message);
  };

  const receive = (family: Family) => {
    if (receivers.has(family) || !links.some((link) => link.family === family)) return;
    const six = family === 'IPv6';
    const socket = createSocket({ type: six ? 'udp6' : 'udp4', reuseAddr: true, ipv6Only: six });
    receivers.set(family, socket);
    socket.on('error', (error) => drop(receivers, family, socket, error));
    socket.on('message', (packet, { address }) => onPacket(packet, address));
    socket.bind({ port: LAN_PORT, address: six ? '::' : '0.0.0.0', exclusive: true }, () => {
      problems.delete(family);
      for (const link of links) if (six && link.family === family) join(socket, link);
    });
    socket.unref();
  };

  const join = (socket: Socket, link: Link) => {
    try {
      socket.addMembership(MULTICAST_GROUP, `::%${link.name}`);
    } catch (error) {
      problems.set(link, systemCode(error) ?? (error as Error).message); // it may just be going away
    }
  };

  const sender = (link: Link): Socket => {
    const six = link.family === 'IPv6';
    const socket = createSocket({ type: six ? 'udp6' : 'udp4' });
    senders.set(link, socket);
    socket.on('error', (error) => drop(senders, link, socket, error));
    const isScoped = six && link.address.startsWith('fe80:');
    socket.bind({ address: isScoped ? `${link.address}%${link.name}` : link.address, exclusive: true });
    socket.once('listening', () => {
      if (six) socket.setMulticastInterface(`::%${link.name}`);
      else socket.setBroadcast(true);
    });
    socket.unref();
    return socket;
  };

  return {
    use(others) {
      closeAll();
      links = others;
      for (const family of ['IPv4', 'IPv6'] as const) receive(family);
    },
    send(link, packet) {
      receive(link.family);
      const socket = senders.get(link) ?? sender(link);
      // Before it is bound, Node keeps the packet and tells of a failure by an event.
      socket.send(packet, LAN_PORT, link.everybody, (error) => {
        if (error) drop(senders, link, socket, error);
        else problems.delete(link);
      });
    },
    problem: (link) => problems.get(link.family) ?? problems.get(link),
    close: closeAll,
  };
}

const closed = new WeakSet<Socket>();

function closeSocket(socket: Socket): void {
  if (closed.has(socket)) return;
  closed.add(socket);
  socket.removeAllListeners('message');
  socket.on('error', () => undefined); // it is given up already
  socket.close();
}

/** @param source of a packet, as Node names it. @returns as it stands in an address to dial */
export function dialHost(source: string): string {
  return bare(source).startsWith('fe80:') ? source : bare(source);
}
