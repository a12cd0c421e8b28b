/** Random test data that is the same in every run. */

export interface Random {
  /** A whole number from 0 up to, without, `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** mulberry32: small, and good enough to make test data. */
export function seededRandom(seed: number): Random {
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return {
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** Bytes as lines may have them: text, text with many escapes, other alphabets, no text at all. Never an LF. */
export function randomLine(random: Random, maxBytes: number): Buffer {
  const length = random.below(maxBytes + 1);
  const alphabets = ['abc def 123', '"\\\u0000\t\u001b\r', 'äöü', '日本語', 'a😀b'];
  if (random.below(5) === 0) return Buffer.from(random.bytes(length).map((byte) => (byte === 0x0a ? 0x0b : byte)));
  const characters = [...random.pick(alphabets)];
  let text = '';
  let bytes = 0;
  for (;;) {
    const character = random.pick(characters);
    bytes += Buffer.byteLength(character);
    if (bytes > length) return Buffer.from(text, 'utf8');
    text += character;
  }
}
