/** A TCP link between two machines that a test can cut, stall and half-close. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export class Link {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isStalled = false;
  #bytes = 0;

  private constructor(port: number, server: Server) {
    this.port = port;
    this.#server = server;
  }

  /** @param target port of the machine that is reached through it */
  static async to(target: number): Promise<Link> {
    const port = await freePort();
    const server = createServer({ allowHalfOpen: true });
    const link = new Link(port, server);
    server.on('connection', (near) => link.#join(near, target));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How many bytes have gone through it, both ways together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ends every connection at once, as a router does that forgot them. */
  cut(): void {
    for (const pair of this.#pairs) {
      pair.near.resetAndDestroy();
      pair.far.resetAndDestroy();
    }
  }

  /** Nothing passes any more, and nobody is told. */
  stall(): void {
    this.#isStalled = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  resume(): void {
    this.#isStalled = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Ends one direction of every connection; the other goes on. */
  halfClose(side: keyof Pair): void {
    for (const pair of this.#pairs) pair[side].end();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, target: number): void {
    const pair = { near, far: connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }) };
    this.#pairs.add(pair);
    this.#carry(pair, near, pair.far);
    this.#carry(pair, pair.far, near);
  }

  #carry(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      this.#bytes += bytes.length;
      if (to.writable && !to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!this.#isStalled) from.resume();
    });
    from.on('end', () => to.end());
    // Resets are what this is for; each ends both sides.
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
    if (this.#isStalled) from.pause();
  }
}
