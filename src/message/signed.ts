/** A message as SSB signs and stores it ("classic" format). */

/** `value` of a message: what is signed. Key order matters for the signature, so it is never rebuilt. */
export interface SignedValue {
  readonly previous: string | null;
  readonly author: string;
  readonly sequence: number;
  /** The author's clock: milliseconds since the epoch, may have a fraction. */
  readonly timestamp: number;
  readonly hash: 'sha256';
  /** An object with a `type`, or a string when the content is encrypted. */
  readonly content: unknown;
  readonly signature: string;
}

export interface SignedMessage {
  /** `%….sha256` */
  readonly key: string;
  readonly value: SignedValue;
  /** When this machine received it: milliseconds since the epoch. */
  readonly timestamp: number;
}
