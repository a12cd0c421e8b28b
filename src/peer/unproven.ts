/** Connections whose handshake is not over: strangers push out strangers, the oldest first, and nobody else. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const MAX_UNPROVEN = 256;

export class Unproven {
  readonly #max: number;
  /** In the order in which they came. */
  readonly #sockets = new Map<string, Socket>();

  constructor(max = MAX_UNPROVEN) {
    this.#max = max;
  }

  add(address: string, socket: Socket): void {
    this.#sockets.set(address, socket);
    socket.once('close', () => {
      if (this.#sockets.get(address) === socket) this.#sockets.delete(address);
    });
    const [[oldest, itsSocket] = []] = this.#sockets;
    if (this.#sockets.size <= this.#max || oldest === undefined) return;
    this.#sockets.delete(oldest);
    itsSocket?.destroy();
  }

  /** @param address of a connection (or one that begins with it) whose other side has proved who it is */
  proven(address: string): void {
    this.#sockets.delete(address.split('~', 1)[0] ?? address);
  }
}

const ACCEPTED = 'net.server.socket';

/**
 * Limits those that come to a TCP port. multiserver offers no way to its sockets; Node tells of each.
 * @param port whatever listens there
 */
export function limitUnproven(port: number, max?: number): Pick<Unproven, 'proven'> & { close(): void } {
  const unproven = new Unproven(max);
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === port) unproven.add(`net:${socket.remoteAddress}:${socket.remotePort}`, socket);
  };
  subscribe(ACCEPTED, onSocket);
  return { proven: (address) => unproven.proven(address), close: () => void unsubscribe(ACCEPTED, onSocket) };
}
