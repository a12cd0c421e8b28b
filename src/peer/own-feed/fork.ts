/** Two messages of one number in one feed, both signed by its author: the feed has forked. */
import type { SignedMessage, SignedValue } from '../../message/signed.ts';
import { signedId } from '../engines/sqlite/validate.ts';

/**
 * @param value a message that was refused
 * @param at reads a message of its feed that is here, by sequence
 * @returns whether it and what is here cannot be of one feed, and its author signed it
 */
export async function isFork(
  value: SignedValue,
  at: (sequence: number) => Promise<SignedMessage | undefined>,
): Promise<boolean> {
  const key = signedId(value);
  if (key === undefined) return false;
  const same = await at(value.sequence);
  if (same !== undefined) return same.key !== key;
  const before = await at(value.sequence - 1);
  return before !== undefined && before.key !== value.previous;
}
