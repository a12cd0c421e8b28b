/** A machine that is a relay, and what stands before one: strangers, and a proxy with a certificate. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer } from 'node:tls';
import WebSocket from 'ws';
import { freePort } from './free-port.ts';
import type { Machine } from './machine.ts';
import type { Sandbox } from './sandbox.ts';

export class Relay {
  readonly machine: Machine;
  readonly wsPort: number;
  readonly #flags: readonly string[];

  private constructor(machine: Machine, wsPort: number, flags: readonly string[]) {
    this.machine = machine;
    this.wsPort = wsPort;
    this.#flags = ['--relay', '--ws-port', String(wsPort), ...flags];
  }

  /** Makes a relay of a machine that is not started. In its flags, `WS_PORT` stands for the port of its websockets. */
  static async of(machine: Machine, ...flags: string[]): Promise<Relay> {
    const wsPort = await freePort();
    return new Relay(
      machine,
      wsPort,
      flags.map((flag) => flag.replace('WS_PORT', String(wsPort))),
    );
  }

  start(): Promise<void> {
    return this.machine.start(...this.#flags);
  }

  /** `ws://127.0.0.1:PORT~shs:KEY` */
  get wsAddress(): string {
    return this.addressAt(`ws://127.0.0.1:${this.wsPort}`);
  }

  /** @param where an address without the key at its end */
  addressAt(where: string): string {
    return `${where}~shs:${this.machine.id.slice(1).replace('.ed25519', '')}`;
  }

  /** A client of its websockets that is yet to say something. */
  async openWebsocket(): Promise<WebSocket> {
    const url = `ws://127.0.0.1:${this.wsPort}`;
    const socket = new WebSocket(url, { maxPayload: 1e6, perMessageDeflate: false, handshakeTimeout: 10_000 });
    socket.on('error', () => undefined); // the relay may hang up
    await once(socket, 'open');
    return socket;
  }
}

/** A certificate for `localhost` that signs itself. @returns its files */
export function makeCertificate(box: Sandbox): { readonly key: string; readonly cert: string } {
  const [key, cert] = [box.path('tls.key'), box.path('tls.crt')];
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', ...made, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

/** What takes `wss://` for a relay and passes it on without TLS, as a web server in front of it does. @returns its port */
export async function tlsProxy(
  t: TestContext,
  files: { readonly key: string; readonly cert: string },
  target: number,
): Promise<number> {
  const options = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
  const server = createServer(options, (near) => {
    const far = connect(target, '127.0.0.1');
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return port;
}
