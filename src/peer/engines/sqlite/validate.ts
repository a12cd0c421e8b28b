/**
 * What makes a message a valid next one of its feed: the checks of ssb-validate 4, in its order and its words, because
 * peers branch on `fatal` and scripts may know the texts. Pure.
 */
import type { SignedValue } from '../../../message/signed.ts';
import { encode, messageId, SIGNATURE_UNITS, signatureJob } from './classic.ts';
import { isValid, KEY_BYTES, SIGNATURE_BYTES, type SignatureJob } from './signature-job.ts';

/** A feed's last message. */
export interface Head {
  readonly key: string;
  readonly sequence: number;
}

export class InvalidMessage extends Error {
  /** The feed cannot go on this way: EBT takes no more of it from the peer that sent it. */
  readonly fatal: boolean;

  constructor(message: string, options: { fatal: boolean } = { fatal: false }) {
    super(message);
    this.fatal = options.fatal;
  }
}

const MAX_UNITS = 8192;
const HMAC_KEY_BYTES = 32;
const SIGNED_FIELDS = 7;

const BASE64 = '(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+](?:[AQgw]==|[a-zA-Z0-9/+][AEIMQUYcgkosw048]=))?';
const FEED_ID = /^@[a-zA-Z0-9/+]{42}[AEIMQUYcgkosw048]=\.(?:sha256|ed25519)$/;
const ENCRYPTED = new RegExp(`^${BASE64}\\.box.*$`);
const SIGNATURE = new RegExp(`^${BASE64}\\.sig.\\w+$`);

/** What was found out of a message before its turn. */
export interface Precheck {
  /** The message as it is encoded. */
  readonly text: string;
  /** Whether its author signed just that; undefined: not known. */
  readonly isSigned: boolean | undefined;
}

/**
 * @param head the feed's last message; undefined when it has none
 * @returns the message's id
 * @throws InvalidMessage
 */
export function checkMessage(head: Head | undefined, value: unknown, hmacKey?: unknown, known?: Precheck): string {
  const message = checkOrder(head, value);
  const text = checkShape(message, known?.text);
  const key = checkHmacKey(hmacKey);
  if (!message.author.endsWith('.ed25519')) throw new InvalidMessage('unknown curve: sha256 expected: ed25519');
  const isSigned = known?.isSigned ?? isValid(signatureJob(text, message, key));
  if (!isSigned) throw new InvalidMessage('invalid signature', { fatal: true });
  return messageId(text);
}

export interface Prepared {
  readonly text: string;
  readonly job: SignatureJob;
}

/**
 * The signature of what looks like the message `sequence` of its feed, to be verified before its turn. All that is not
 * looked at here is when the turn comes: nothing but the verdict is taken from here.
 * @param value of which the author is known to be a feed's id
 * @returns undefined for what looks otherwise: it costs little to refuse that
 */
export function prepare(value: SignedValue, sequence: number, hmacKey: Buffer | undefined): Prepared | undefined {
  if (value.sequence !== sequence || typeof value.signature !== 'string') return undefined;
  const text = encode(value);
  if (text.length > MAX_UNITS) return undefined;
  const job = signatureJob(text, value, hmacKey);
  return job.signature.length === SIGNATURE_BYTES && job.publicKey.length === KEY_BYTES ? { text, job } : undefined;
}

/** @returns the id of a message that its author signed, wherever in its feed it stands; undefined when nobody did */
export function signedId(value: unknown): string | undefined {
  const message = value as SignedValue;
  if (typeof value !== 'object' || value === null || !isFeedId(message.author)) return undefined;
  try {
    const text = checkShape(message);
    return isSignatureOfAuthor(message) && isValid(signatureJob(text, message)) ? messageId(text) : undefined;
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}

/** What can be said without encoding the message. */
function checkOrder(head: Head | undefined, value: unknown): SignedValue {
  if (typeof value !== 'object' || value === null) throw new InvalidMessage('invalid message: must be an object');
  const message = value as SignedValue;
  const { author, sequence, previous } = message;
  if (!isFeedId(author)) throw new InvalidMessage('invalid message: must have author');
  if (!isSignatureOfAuthor(message)) throw new InvalidMessage('invalid message: signature type must match author type');
  const on = `on feed:${author}`;
  if (head !== undefined) {
    if (sequence !== head.sequence + 1) {
      const state = JSON.stringify({ id: head.key, sequence: head.sequence });
      const expected = head.sequence + 1;
      throw new InvalidMessage(
        `invalid message: expected sequence ${expected} but got:${sequence}in state:${state}, ${on}`,
      );
    }
    if (previous !== head.key)
      throw new InvalidMessage(`invalid message: expected different previous message, ${on}`, { fatal: true });
  } else {
    if (previous !== null) throw new InvalidMessage(`initial message must have previous: null, ${on}`, { fatal: true });
    if (sequence !== 1) throw new InvalidMessage(`initial message must have sequence: 1, ${on}`, { fatal: true });
    if (typeof message.timestamp !== 'number')
      throw new InvalidMessage(`initial message must have timestamp, ${on}`, { fatal: true });
  }
  if (!isWithSignature(Object.keys(message)))
    throw new InvalidMessage('message must have keys in allowed order', { fatal: true });
  return message;
}

/**
 * @param message signed or, when it is about to be, not yet
 * @param text it as it is encoded
 * @returns the same
 */
export function checkShape(message: Partial<SignedValue>, text = encode(message)): string {
  const { sequence, author, content, hash } = message;
  const isWellFormed =
    isInteger(sequence) &&
    isFeedId(author) &&
    (isObject(content) || isEncrypted(content)) &&
    isInOrder(Object.keys(message)) &&
    hash === 'sha256';
  if (!isWellFormed) throw new InvalidMessage(`message has invalid properties:${text}`);
  checkSize(text.length);
  checkContent(content);
  return text;
}

/** @param units the encoded message's length */
export function checkSize(units: number): void {
  if (units > MAX_UNITS)
    throw new InvalidMessage(`Encoded message must not be larger than ${MAX_UNITS} bytes. Current size is ${units}`);
}

/** What may be published at all. */
export function isContent(content: unknown): boolean {
  return isObject(content) || isEncrypted(content);
}

function checkContent(content: unknown): void {
  if (isEncrypted(content)) return;
  const { type } = content as { type?: unknown };
  if (typeof type !== 'string' || type.length > 52 || type.length < 3)
    throw new InvalidMessage(`type must be a string3 <= type.length < 52, was:${type}`);
}

/** @param key bytes, or text in base64, as SSB configures it; absent: none */
export function checkHmacKey(key: unknown): Buffer | undefined {
  if (key === undefined || key === null) return undefined;
  if (typeof key === 'string' || Buffer.isBuffer(key)) {
    const bytes = Buffer.isBuffer(key) ? key : Buffer.from(key, 'base64');
    const isCanonical = typeof key !== 'string' || bytes.toString('base64') === key;
    if (isCanonical && bytes.length === HMAC_KEY_BYTES) return bytes;
  }
  throw new InvalidMessage('invalid HMAC key', { fatal: true });
}

function isWithSignature(fields: readonly string[]): boolean {
  return fields.length === SIGNED_FIELDS && fields[SIGNED_FIELDS - 1] === 'signature' && isInOrder(fields);
}

function isInOrder(fields: readonly string[]): boolean {
  const [previous, second, third, timestamp, hash, content] = fields;
  return (
    previous === 'previous' &&
    ((second === 'sequence' && third === 'author') || (second === 'author' && third === 'sequence')) &&
    timestamp === 'timestamp' &&
    hash === 'hash' &&
    content === 'content'
  );
}

function isSignatureOfAuthor({ author, signature }: SignedValue): boolean {
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return false;
  const curve = author.slice(author.lastIndexOf('.') + 1);
  return signature.slice(SIGNATURE_UNITS) === `.sig.${curve}`;
}

export function isFeedId(id: unknown): id is string {
  return typeof id === 'string' && FEED_ID.test(id);
}

function isEncrypted(content: unknown): boolean {
  return typeof content === 'string' && content !== '' && ENCRYPTED.test(content);
}

function isObject(content: unknown): boolean {
  return typeof content === 'object' && content !== null;
}

/** As ssb-validate has it: sequences end at 2³¹ - 1. */
function isInteger(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}
