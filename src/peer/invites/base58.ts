/** Bytes as text without letters that look alike (0 and O, I and l), in Bitcoin's alphabet: one word to a terminal. */

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BASE = 58n;

/** @param bytes the first of which is not 0: zeros at the beginning would be lost */
export function toBase58(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
  let text = '';
  for (; number > 0n; number /= BASE) text = `${ALPHABET[Number(number % BASE)]}${text}`;
  return text;
}

/** @returns undefined when a letter is not of the alphabet */
export function fromBase58(text: string): Buffer | undefined {
  let number = 0n;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return undefined;
    number = number * BASE + BigInt(digit);
  }
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** Where the first letter stands that is not of the alphabet; -1 when all are. */
export function wrongLetter(text: string): number {
  return [...text].findIndex((letter) => !ALPHABET.includes(letter));
}
