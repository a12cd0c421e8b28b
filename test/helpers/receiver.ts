/** Somebody who is told things over HTTP, and counts. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export class Receiver {
  readonly received: Received[] = [];
  /** What it answers; undefined: nothing, ever. */
  status: number | undefined = 200;
  location: string | undefined;
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  static async listen(t: TestContext): Promise<Receiver> {
    const server = createServer((request, response) => void receiver.#take(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const receiver: Receiver = new Receiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return receiver;
  }

  titles(path?: string): unknown[] {
    return this.received.filter((one) => path === undefined || one.path === path).map(({ body }) => body.title);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    this.received.push({ path: request.url ?? '', headers: request.headers, body });
    if (this.status === undefined) return;
    response.statusCode = this.status;
    if (this.location !== undefined) response.setHeader('location', this.location);
    response.end();
  }
}
