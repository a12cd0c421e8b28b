/** The messages that were stored last, parsed: peers that are connected ask for them next. */
import type { SignedMessage } from '../../../message/signed.ts';

const MAX_MESSAGES = 256;

export class RecentMessages {
  readonly #messages = new Map<string, SignedMessage>();

  add(message: SignedMessage): void {
    const { author, sequence } = message.value;
    this.#messages.set(`${author}:${sequence}`, message);
    if (this.#messages.size <= MAX_MESSAGES) return;
    const [oldest] = this.#messages.keys();
    if (oldest !== undefined) this.#messages.delete(oldest);
  }

  get(feed: string, sequence: number): SignedMessage | undefined {
    return this.#messages.get(`${feed}:${sequence}`);
  }
}
