/** A mail server (RFC 5321) that takes every mail, and keeps to the letter of what it is told. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TakenMail {
  /** The envelope. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Headers and body, with CRLF. */
  readonly raw: Buffer;
}

/** Lines, with their CRLF (4.5.3.1). */
const MAX_LINE_BYTES = 1000;

export class SmtpServer {
  readonly mails: TakenMail[] = [];
  /** What a client did that the protocol does not let it do. */
  readonly violations: string[] = [];
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  static async listen(t: TestContext): Promise<SmtpServer> {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', (error) => smtp.violations.push(error.message));
      void new Session(socket, smtp).serve();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      for (const socket of open) socket.destroy();
    });
    const smtp: SmtpServer = new SmtpServer((server.address() as AddressInfo).port);
    return smtp;
  }
}

class Session {
  readonly #socket: Socket;
  readonly #server: SmtpServer;
  #sender: string | undefined;
  #recipients: string[] = [];
  /** The lines of the mail that is coming. */
  #data: string[] | undefined;

  constructor(socket: Socket, server: SmtpServer) {
    this.#socket = socket;
    this.#server = server;
  }

  async serve(): Promise<void> {
    this.#socket.setEncoding('latin1');
    this.#answer('220 localhost');
    let rest = '';
    for await (const text of this.#socket) {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    }
    if (rest !== '') this.#refuse('500', JSON.stringify(rest));
  }

  #take(line: string): void {
    const { violations } = this.#server;
    if (/[\r\n]/.test(line)) violations.push(`a line end without its other half: ${JSON.stringify(line)}`);
    if (line.length + 2 > MAX_LINE_BYTES) violations.push(`a line of ${line.length} bytes`);
    if (this.#data === undefined) this.#answer(this.#command(line));
    else if (line === '.') this.#answer(this.#end(this.#data));
    else this.#data.push(line.startsWith('.') ? line.slice(1) : line);
  }

  /** @returns the answer */
  #command(line: string): string {
    const [, verb = '', rest = ''] = /^([A-Za-z]+)(.*)$/s.exec(line) ?? [];
    switch (verb.toUpperCase()) {
      case 'EHLO':
      case 'HELO':
      case 'NOOP':
        return '250 localhost';
      case 'RSET':
        this.#forget();
        return '250 ok';
      case 'MAIL': {
        const sender = /^ FROM:<([^<>\s]*)>$/i.exec(rest)?.[1];
        if (sender === undefined || this.#sender !== undefined) return this.#refuse('501', line);
        this.#sender = sender;
        return '250 ok';
      }
      case 'RCPT': {
        const recipient = /^ TO:<([^<>\s]+)>$/i.exec(rest)?.[1];
        if (recipient === undefined || this.#sender === undefined) return this.#refuse('501', line);
        this.#recipients.push(recipient);
        return '250 ok';
      }
      case 'DATA':
        if (this.#recipients.length === 0) return this.#refuse('503', line);
        this.#data = [];
        return '354 go on';
      case 'QUIT':
        return '221 bye';
      default:
        return this.#refuse('500', line);
    }
  }

  #end(data: readonly string[]): string {
    const raw = Buffer.from(data.map((line) => `${line}\r\n`).join(''), 'latin1');
    this.#server.mails.push({ sender: this.#sender ?? '', recipients: this.#recipients, raw });
    this.#forget();
    return '250 taken';
  }

  #forget(): void {
    this.#sender = undefined;
    this.#recipients = [];
    this.#data = undefined;
  }

  #refuse(code: string, what: string): string {
    this.#server.violations.push(`${code} ${what}`);
    return `${code} no`;
  }

  #answer(line: string): void {
    this.#socket.write(`${line}\r\n`);
    if (line.startsWith('221')) this.#socket.end();
  }
}
