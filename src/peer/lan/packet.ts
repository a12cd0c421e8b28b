/**
 * What a machine says of itself on the LAN, as bytes: sealed for holders of the network key, signed by the machine,
 * always of one length. Knows neither sockets nor time.
 *
 * Packet: nonce (24, random), then a libsodium secretbox of: version (1), address (16; IPv4 as ::ffff:a.b.c.d), TCP port
 * (2), public key (32), token (8), number (4), count of echoes (1), echoes (32 × 8), signature of all of it (64).
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import sodium from 'chloride';

const NONCE_BYTES = 24;
const SEAL_BYTES = 16;
const VERSION = 1;
const ADDRESS_BYTES = 16;
const KEY_BYTES = 32;
export const TOKEN_BYTES = 8;
export const MAX_ECHOES = 32;
const SIGNATURE_BYTES = 64;

const ADDRESS_AT = 1;
const PORT_AT = ADDRESS_AT + ADDRESS_BYTES;
const KEY_AT = PORT_AT + 2;
const TOKEN_AT = KEY_AT + KEY_BYTES;
const NUMBER_AT = TOKEN_AT + TOKEN_BYTES;
const COUNT_AT = NUMBER_AT + 4;
const ECHOES_AT = COUNT_AT + 1;
const SIGNATURE_AT = ECHOES_AT + MAX_ECHOES * TOKEN_BYTES;
const BODY_BYTES = SIGNATURE_AT + SIGNATURE_BYTES;

export const PACKET_BYTES = NONCE_BYTES + SEAL_BYTES + BODY_BYTES;

/** What the derived key is for (HKDF's `info`): no other use of the network key gives the same key. */
const CONTEXT = 'ssblog/lan/1';

export interface Announcement {
  /** Where it listens, without a scope (`%eth0`). */
  readonly address: string;
  readonly port: number;
  /** Feed id. */
  readonly id: string;
  /** Chosen anew by the sender now and then: whoever echoes it has heard the sender of late. Hex. */
  readonly token: string;
  /** Grows with each packet of one token. */
  readonly number: number;
  /** Tokens that the sender has heard. */
  readonly echoes: readonly string[];
}

interface SigningKeys {
  /** `BASE64.ed25519`, as ssb-keys has them. */
  readonly public: string;
  readonly private: string;
}

/** @param networkKey 32 bytes in base64 */
export function lanKey(networkKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(networkKey, 'base64'), Buffer.alloc(0), CONTEXT, KEY_BYTES));
}

export function sealAnnouncement(key: Buffer, keys: SigningKeys, announcement: Announcement): Buffer {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(VERSION, 0);
  addressBytes(announcement.address).copy(body, ADDRESS_AT);
  body.writeUInt16BE(announcement.port, PORT_AT);
  keyBytes(keys.public).copy(body, KEY_AT);
  body.write(announcement.token, TOKEN_AT, 'hex');
  body.writeUInt32BE(announcement.number, NUMBER_AT);
  const echoes = announcement.echoes.slice(0, MAX_ECHOES);
  body.writeUInt8(echoes.length, COUNT_AT);
  for (const [index, echo] of echoes.entries()) body.write(echo, ECHOES_AT + index * TOKEN_BYTES, 'hex');
  const signature = sodium.crypto_sign_detached(signedPart(key, body), keyBytes(keys.private));
  signature.copy(body, SIGNATURE_AT);
  const nonce = randomBytes(NONCE_BYTES);
  return Buffer.concat([nonce, sodium.crypto_secretbox_easy(body, nonce, key)]);
}

/** @returns undefined for whatever no holder of the network key has made, or somebody else than who it names */
export function openAnnouncement(key: Buffer, packet: Buffer): Announcement | undefined {
  if (packet.length !== PACKET_BYTES) return undefined;
  const sealed = packet.subarray(NONCE_BYTES);
  const body = sodium.crypto_secretbox_open_easy(sealed, packet.subarray(0, NONCE_BYTES), key);
  if (!body || body[0] !== VERSION) return undefined;
  const publicKey = body.subarray(KEY_AT, TOKEN_AT);
  const count = body.readUInt8(COUNT_AT);
  const port = body.readUInt16BE(PORT_AT);
  if (count > MAX_ECHOES || port === 0) return undefined;
  if (!sodium.crypto_sign_verify_detached(body.subarray(SIGNATURE_AT), signedPart(key, body), publicKey)) {
    return undefined;
  }
  return {
    address: addressText(body.subarray(ADDRESS_AT, PORT_AT)),
    port,
    id: `@${publicKey.toString('base64')}.ed25519`,
    token: body.toString('hex', TOKEN_AT, NUMBER_AT),
    number: body.readUInt32BE(NUMBER_AT),
    echoes: Array.from({ length: count }, (_, index) => {
      const at = ECHOES_AT + index * TOKEN_BYTES;
      return body.toString('hex', at, at + TOKEN_BYTES);
    }),
  };
}

/** The key is part of what is signed: a packet of one network cannot be sealed again for another one. */
function signedPart(key: Buffer, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(CONTEXT), key, body.subarray(0, SIGNATURE_AT)]);
}

function keyBytes(text: string): Buffer {
  return Buffer.from(text.replace('.ed25519', ''), 'base64');
}

/** @returns 16 bytes */
function addressBytes(address: string): Buffer {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  if (address.includes(':')) {
    const [head = '', tail] = address.split('::');
    const groups = (part: string) => (part === '' ? [] : part.split(':')).map((group) => Number.parseInt(group, 16));
    for (const [index, group] of groups(head).entries()) bytes.writeUInt16BE(group, index * 2);
    const last = groups(tail ?? '');
    for (const [index, group] of last.entries()) bytes.writeUInt16BE(group, ADDRESS_BYTES - (last.length - index) * 2);
    return bytes;
  }
  bytes.fill(0xff, 10, 12);
  for (const [index, part] of address.split('.').entries()) bytes.writeUInt8(Number(part), 12 + index);
  return bytes;
}

const IPV4_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');

function addressText(bytes: Buffer): string {
  if (bytes.subarray(0, 12).equals(IPV4_PREFIX)) return [...bytes.subarray(12)].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // As the operating system writes it: the longest run of zeros is left out.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
