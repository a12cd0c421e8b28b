/**
 * Makes this machine's messages. One after the other each holds the id of the one before, so no two can be signed at the
 * same time; but a second thread can sign them while this one stores those that are signed.
 */
import type { Identity } from '../../../config/identity.ts';
import type { SignedMessage, SignedValue } from '../../../message/signed.ts';
import {
  encode,
  idOf,
  keyBytes,
  messageId,
  SIGNED_LAYOUT,
  SOME_ID,
  sign,
  signatureOf,
  type UnsignedValue,
} from './classic.ts';
import type { SignatureThread } from './signature-thread.ts';
import { packTexts, type Signatures } from './signing-job.ts';
import { checkShape, checkSize, type Head, InvalidMessage, isContent, signedId } from './validate.ts';

/** With fewer at once, handing them over takes longer than it saves. */
const WORTH_HANDING_OVER = 32;

export interface AuthorOptions {
  readonly keys: Identity;
  readonly hmacKey: Buffer | undefined;
  readonly thread: SignatureThread;
  /** What messages say of when they were made, and of when they came. */
  readonly ownTime: () => number;
  readonly receiptTime: () => number;
}

/** Messages that follow each other; the last ones may still be without their signatures. */
export interface Chain {
  /** Of the last one. Its key waits for its signature. */
  readonly head: Head;
  /** Nothing waits any more. */
  readonly isSigned: boolean;
  /** Waits for its signature. */
  at(index: number): SignedMessage;
}

interface Draft {
  readonly unsigned: UnsignedValue;
  /** When it came. */
  readonly timestamp: number;
}

/** What a chain follows. */
interface Link {
  readonly head: Head;
  /** The last one's id, or what stands in its place. */
  readonly previous: string;
  /** The thread is about to sign it. */
  readonly goesOn: boolean;
}

export class Author {
  readonly #options: AuthorOptions;
  /** What the thread got last. */
  #shared: SharedChain | undefined;

  constructor(options: AuthorOptions) {
    this.#options = options;
  }

  /**
   * @param head the feed's last message; undefined when it has none
   * @throws InvalidMessage
   */
  make(head: Head | undefined, content: unknown): SignedMessage {
    const { keys, hmacKey, receiptTime } = this.#options;
    const unsigned = this.#unsigned(content, head?.key ?? null, (head?.sequence ?? 0) + 1);
    const { text, value } = sign(unsigned, checkShape(unsigned), keys, hmacKey);
    checkSize(text.length);
    return { key: messageId(text), value, timestamp: receiptTime() };
  }

  /**
   * Makes all or none.
   * @param onSigned called later when the last one is signed, unless the chain is so from the beginning
   * @throws InvalidMessage
   */
  makeAll(head: Head | undefined, contents: readonly unknown[], onSigned: () => void): Chain {
    const { thread, hmacKey } = this.#options;
    if (contents.length < WORTH_HANDING_OVER || head === undefined || hmacKey !== undefined)
      return this.#makeHere(head, contents);
    const goesOn = this.#shared?.head === head && !this.#shared.isSigned;
    const previous = goesOn ? SOME_ID : head.key; // may wait, and find that the thread is lost
    return thread.isReady
      ? this.#share({ head, previous, goesOn }, contents, onSigned)
      : this.#makeHere(head, contents);
  }

  #makeHere(head: Head | undefined, contents: readonly unknown[]): Chain {
    const messages: SignedMessage[] = [];
    let last = head;
    for (const content of contents) {
      const message = this.make(last, content);
      messages.push(message);
      last = { key: message.key, sequence: message.value.sequence };
    }
    return { head: last as Head, isSigned: true, at: (index) => messages[index] as SignedMessage };
  }

  #share(after: Link, contents: readonly unknown[], onSigned: () => void): Chain {
    const { keys, thread, receiptTime } = this.#options;
    const { head, previous, goesOn } = after;
    const texts: string[] = [];
    const drafts = contents.map((content, index) => {
      const unsigned = this.#unsigned(content, index === 0 ? previous : SOME_ID, head.sequence + 1 + index);
      const text = checkShape(unsigned);
      checkSize(text.length + SIGNED_LAYOUT.extraUnits);
      texts.push(text);
      return { unsigned, timestamp: receiptTime() };
    });
    const job = packTexts(texts, new Uint8Array(keyBytes(keys.private)), goesOn);
    const signatures = thread.sign(job, () => {
      if (this.#shared === chain) this.#shared = undefined;
      onSigned();
    });
    const chain = new SharedChain(head, drafts, signatures, keys);
    this.#shared = chain;
    return chain;
  }

  #unsigned(content: unknown, previous: string | null, sequence: number): UnsignedValue {
    if (!isContent(content)) throw new InvalidMessage('invalid message content, must be object or encrypted string');
    refuseRecipients(content as { recps?: unknown });
    const { keys, ownTime } = this.#options;
    return { previous, sequence, author: keys.id, timestamp: ownTime(), hash: 'sha256', content };
  }
}

class SharedChain implements Chain {
  readonly head: Head;
  readonly #drafts: readonly Draft[];
  readonly #signatures: Signatures;
  readonly #keys: Identity;
  readonly #messages: SignedMessage[] = [];
  /** What the thread signed is of no use. */
  #isRefused = false;
  /** What the next of these follows. */
  #last: Head;

  constructor(head: Head, drafts: readonly Draft[], signatures: Signatures, keys: Identity) {
    this.#drafts = drafts;
    this.#signatures = signatures;
    this.#keys = keys;
    this.#last = head;
    const keyOfLast = () => this.at(drafts.length - 1).key;
    this.head = {
      sequence: head.sequence + drafts.length,
      get key() {
        return keyOfLast();
      },
    };
  }

  get isSigned(): boolean {
    return this.#signatures.has(this.#drafts.length - 1);
  }

  at(index: number): SignedMessage {
    while (this.#messages.length <= index) this.#finishNext();
    return this.#messages[index] as SignedMessage;
  }

  #finishNext(): void {
    const index = this.#messages.length;
    const { unsigned, timestamp } = this.#drafts[index] as Draft;
    const message = { ...this.#finish({ ...unsigned, previous: this.#last.key }, index), timestamp };
    this.#messages.push(message);
    this.#last = { key: message.key, sequence: message.value.sequence };
  }

  #finish(unsigned: UnsignedValue, index: number): { key: string; value: SignedValue } {
    const signed = this.#signatures.at(index);
    if (signed !== undefined && !this.#isRefused) {
      const key = idOf(signed.hash.toString('base64'));
      const value = { ...unsigned, signature: signatureOf(signed.signature.toString('base64')) };
      // A message that is not as it should be would end this feed for all others. Between two of them one is looked at.
      if (index > 0 || signedId(value) === key) return { key, value };
      this.#isRefused = true;
      this.#signatures.fail(new Error('it signed something else'));
    }
    const { text, value } = sign(unsigned, encode(unsigned), this.#keys);
    return { key: messageId(text), value };
  }
}

/** Nothing here can encrypt: what is meant for some only must not be published for all. */
function refuseRecipients({ recps }: { recps?: unknown }): void {
  if (!recps) return;
  throw new InvalidMessage(
    `private message requested, but no boxers could encrypt these recps: ${JSON.stringify(recps)}`,
  );
}
