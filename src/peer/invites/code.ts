/**
 * The join code: all that a new machine needs to know, in one word that can be selected with a double click.
 *
 * `ssblog1`, then in base58: network key (32 bytes), the inviter's public key (32), the invite's secret (16), its name
 * (a byte of length, UTF-8), its addresses (a byte of count, then each), and 4 bytes of SHA-256 over all of that. An
 * address begins with its kind: 4 (IPv4) or 6 (IPv6), followed by the bytes of the address and two of port, or 0,
 * followed by a byte of length and the address as text (`net:HOST:PORT`, `ws://…`), without the key at its end.
 */
import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { nameSchema } from '../../config/schema.ts';
import { SsblogError } from '../../errors.ts';
import { fromBase58, toBase58, wrongLetter } from './base58.ts';

const PREFIX = 'ssblog1';
/** So that zeros at the beginning of the key are not lost. */
const FIRST_BYTE = 1;
const KEY_BYTES = 32;
export const SECRET_BYTES = 16;
const CHECKSUM_BYTES = 4;
/** Names are for people to know the machine by; a longer one is cut. */
const MAX_NAME_BYTES = 40;
const MAX_ADDRESSES = 16;
const MAX_TEXT_BYTES = 200;
/** Longer than any code: nobody calculates with what is not one. */
const MAX_CODE_LENGTH = 6_000;

export interface JoinCode {
  /** 32 bytes in base64. */
  readonly networkKey: string;
  /** The machine that invites. */
  readonly id: string;
  readonly name: string;
  /** What proves the invite: 16 bytes. */
  readonly secret: Buffer;
  /** `net:HOST:PORT` or `ws://…`, without the key at its end. */
  readonly addresses: readonly string[];
}

export function encodeJoinCode({ networkKey, id, name, secret, addresses }: JoinCode): string {
  const body = Buffer.concat([
    Buffer.of(FIRST_BYTE),
    Buffer.from(networkKey, 'base64'),
    Buffer.from(id.slice(1, -'.ed25519'.length), 'base64'),
    secret,
    sized(cutName(name)),
    Buffer.of(Math.min(addresses.length, MAX_ADDRESSES)),
    ...addresses.slice(0, MAX_ADDRESSES).map(encodeAddress),
  ]);
  return PREFIX + toBase58(Buffer.concat([body, checksum(body)]));
}

/**
 * @param text as it was typed or pasted; spaces and line breaks in it do not count
 * @throws SsblogError `code` when it is none, or has a typing error
 */
export function decodeJoinCode(text: string): JoinCode {
  const code = text.replace(/\s+/g, '');
  if (!code.startsWith(PREFIX)) throw noCode(code);
  const letters = code.slice(PREFIX.length);
  const wrong = wrongLetter(letters);
  if (wrong >= 0 && letters.length <= MAX_CODE_LENGTH) {
    const place = PREFIX.length + wrong;
    throw mistyped(`its letter ${place + 1} (${JSON.stringify(code[place])}) cannot be in a join code`);
  }
  const bytes = letters.length > MAX_CODE_LENGTH ? undefined : fromBase58(letters);
  const body = bytes?.subarray(0, -CHECKSUM_BYTES);
  // The alphabet's zero, written before the first digit, changes no number.
  const isWhole = bytes !== undefined && toBase58(bytes) === letters;
  if (!isWhole || body === undefined || !checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES))) {
    throw mistyped('its letters do not fit together');
  }
  try {
    return decodeBody(new Reader(body));
  } catch (error) {
    throw new SsblogError('code', 'the join code holds what this version of ssblog does not understand', {
      hint: 'install the same version on both machines',
      cause: error,
    });
  }
}

function decodeBody(reader: Reader): JoinCode {
  if (reader.byte() !== FIRST_BYTE) throw new Error('first byte');
  const networkKey = reader.bytes(KEY_BYTES).toString('base64');
  const id = `@${reader.bytes(KEY_BYTES).toString('base64')}.ed25519`;
  const secret = Buffer.from(reader.bytes(SECRET_BYTES));
  const name = nameSchema.parse(reader.bytes(reader.byte()).toString('utf8'));
  const addresses: string[] = [];
  for (let count = reader.byte(); count > 0; count--) addresses.push(decodeAddress(reader));
  if (!reader.isAtEnd || addresses.length > MAX_ADDRESSES) throw new Error('length');
  return { networkKey, id, name, secret, addresses };
}

function noCode(code: string): SsblogError {
  if (/^ssblog\d/.test(code)) {
    return new SsblogError('code', 'the join code is mistyped, or of another version of ssblog', {
      hint: `one that this version understands begins with ${PREFIX}`,
    });
  }
  return new SsblogError('code', 'that is not a join code', {
    hint: `a join code begins with ${PREFIX}; print one on the other machine with: ssblog invite`,
  });
}

function mistyped(reason: string): SsblogError {
  return new SsblogError('code', `the join code is mistyped or incomplete: ${reason}`, {
    hint: 'copy it again, from its first to its last letter',
  });
}

function checksum(body: Uint8Array): Buffer {
  return createHash('sha256').update(PREFIX).update(body).digest().subarray(0, CHECKSUM_BYTES);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** Whole characters only. */
function cutName(name: string): Buffer {
  let bytes = Buffer.alloc(0);
  for (const character of name) {
    const next = Buffer.concat([bytes, Buffer.from(character)]);
    if (next.length > MAX_NAME_BYTES) break;
    bytes = next;
  }
  return bytes;
}

const NET = /^net:(.+):(\d{1,5})$/;

function encodeAddress(address: string): Buffer {
  const [, host = '', port = '0'] = NET.exec(address) ?? [];
  const portBytes = Buffer.of(Number(port) >> 8, Number(port) & 0xff);
  if (isIPv4(host)) return Buffer.concat([Buffer.of(4), Buffer.from(host.split('.').map(Number)), portBytes]);
  if (isIPv6(host) && !/[.%]/.test(host)) return Buffer.concat([Buffer.of(6), ipv6Bytes(host), portBytes]);
  const text = Buffer.from(address);
  if (text.length > MAX_TEXT_BYTES)
    throw new SsblogError('config', `the address ${address} is too long to be invited to`);
  return Buffer.concat([Buffer.of(0), sized(text)]);
}

function decodeAddress(reader: Reader): string {
  const kind = reader.byte();
  if (kind === 4) return `net:${[...reader.bytes(4)].join('.')}:${reader.bytes(2).readUInt16BE()}`;
  if (kind === 6) return `net:${ipv6Text(reader.bytes(16))}:${reader.bytes(2).readUInt16BE()}`;
  if (kind !== 0) throw new Error('kind of address');
  const text = reader.bytes(reader.byte()).toString('utf8');
  if (!/^(net:|wss?:\/\/)[^\s~;]+$/.test(text)) throw new Error('address');
  return text;
}

function ipv6Bytes(host: string): Buffer {
  const [head = '', tail] = host.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? [] : Array(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':');
  // The URL standard's own form: the longest zeros are `::`.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

class Reader {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.bytes(1).readUInt8();
  }

  bytes(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Error('too short');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
