/** Where others reach a machine that cannot know it itself: behind a host name, a router or a TLS proxy. */
import { isIPv6 } from 'node:net';
import type { Config } from './keys.ts';

/** As in RFC 1123; an IPv4 address looks like one. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const NET = /^net:(.+):(\d{1,5})$/;
const MAX_LENGTH = 200;

/** Whether a text is a host name, an IP address, `net:HOST:PORT`, or `ws://…` or `wss://…` without user and query. */
export function isExternal(text: string): boolean {
  if (text.length > MAX_LENGTH || /[\s~;]/.test(text)) return false;
  const [, host, port] = NET.exec(text) ?? [];
  if (host !== undefined) return isHost(host) && isPort(Number(port));
  return isHost(text) || isWebsocket(text);
}

/**
 * The addresses in a machine's `external`, those of a plain host name with the machine's own ports.
 * @returns `net:HOST:PORT`, `ws://HOST:PORT` and `wss://HOST`, without the key at their end
 */
export function externalAddresses({ external, port, relay, wsPort }: Config): string[] {
  return external.flatMap((text) => {
    if (!isHost(text)) return [text];
    const host = bare(text);
    const inUrl = isIPv6(host) ? `[${host}]` : host;
    return [`net:${host}:${port}`, ...(relay ? [`ws://${inUrl}:${wsPort}`] : [])];
  });
}

function isHost(text: string): boolean {
  return isIPv6(bare(text)) || HOST_NAME.test(text);
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function isWebsocket(text: string): boolean {
  if (!/^wss?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash, port } = new URL(text);
  return username + password + search + hash === '' && port !== '0';
}
