/** How much of SSB's message limit a content takes, known before the message is signed. */
import type { Content } from './content.ts';
import { MAX_MESSAGE_UNITS } from './limits.ts';

/** What surrounds the content of a signed message, each value as long as it can be. */
const LONGEST_ENVELOPE = {
  previous: `%${'A'.repeat(43)}=.sha256`,
  author: `@${'A'.repeat(43)}=.ed25519`,
  sequence: Number.MAX_SAFE_INTEGER,
  // A double has at most 17 significant digits, so with its point a time takes 18 characters, as these do with their quotes.
  timestamp: '0'.repeat(16),
  hash: 'sha256',
  content: null,
  signature: `${'A'.repeat(86)}==.sig.ed25519`,
};

const ENVELOPE_UNITS = units(LONGEST_ENVELOPE) - units({ content: null });

function units(value: unknown): number {
  return JSON.stringify(value, null, 2).length;
}

/**
 * An upper bound, whoever signs it and when, of what SSB compares with MAX_MESSAGE_UNITS:
 * the UTF-16 code units of `JSON.stringify(message, null, 2)` (`isInvalidShape` of ssb-validate).
 */
export function messageUnits(content: Content): number {
  // Data in an encoding of ours has nothing to escape: its length is its size, and saves the copying.
  if (content.type === 'log-block')
    return ENVELOPE_UNITS + units({ content: { ...content, data: '' } }) + content.data.length;
  return ENVELOPE_UNITS + units({ content });
}

/** Whether SSB will take a message with this content. */
export function fits(content: Content): boolean {
  return messageUnits(content) <= MAX_MESSAGE_UNITS;
}
