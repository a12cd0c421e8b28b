/**
 * Bytes as text, 15 bits in each character: SSB limits a message by UTF-16 units, so a message holds two and a half
 * times as many bytes as in base64 (6 bits in each), though each character takes three bytes of UTF-8. Pure.
 *
 * The bytes are one row of bits, the highest of each byte first. Each 15 of them are a number v from 0 to 7FFF (hex) and
 * become the character U+3400 + v where v is below 6C00, else U+4000 + v: characters of CJK (U+3400 to U+9FFF) and Hangul
 * (U+AC00 to U+BFFF), which JSON does not escape and NFC leaves alone. What is left at the end is filled up with zeros:
 * one to seven bits to seven, which become a character from U+C000 to U+C07F; eight to fourteen bits to fifteen, as
 * before. So each row of bytes has one text.
 */

/** In one character, which is one UTF-16 unit. */
export const BITS = 15;
const MASK = 0x7fff;
/** What is left at the end, when that is no more. */
const SHORT_BITS = 7;
const SHORT_MASK = 0x7f;
const FIRST_SHORT = 0xc000;

/** utf16le has the low byte first, whatever machine this is. */
const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

function unitOf(number: number): number {
  return number + (number < 0x6c00 ? 0x3400 : 0x4000);
}

/**
 * What a unit stands for; it has more than 15 bits where the unit is no character of the alphabet. Without a branch,
 * because no processor could foresee it.
 */
function number(units: Uint16Array, at: number): number {
  const unit = units[at] as number;
  const isHangul = (0xabff - unit) >> 31;
  const isBetween = ~isHangul & ((0x9fff - unit) >> 31);
  return (unit - 0x3400 - (isHangul & 0x0c00)) | isBetween;
}

/** How many UTF-16 units the text of so many bytes has. */
export function unitsFor(bytes: number): number {
  return Math.ceil((bytes * 8) / BITS);
}

export function toBase32768(bytes: Uint8Array): string {
  const units = new Uint16Array(unitsFor(bytes.length));
  let count = 0;
  let at = 0;
  // 15 bytes are 8 characters; a loop over single bits or bytes takes twice as long, and all that is shipped comes by.
  for (; at + 15 <= bytes.length; at += 15) {
    const b1 = byte(bytes, at + 1);
    const b3 = byte(bytes, at + 3);
    const b5 = byte(bytes, at + 5);
    const b7 = byte(bytes, at + 7);
    const b9 = byte(bytes, at + 9);
    const b11 = byte(bytes, at + 11);
    const b13 = byte(bytes, at + 13);
    units[count] = unitOf((byte(bytes, at) << 7) | (b1 >> 1));
    units[count + 1] = unitOf(((b1 & 0x01) << 14) | (byte(bytes, at + 2) << 6) | (b3 >> 2));
    units[count + 2] = unitOf(((b3 & 0x03) << 13) | (byte(bytes, at + 4) << 5) | (b5 >> 3));
    units[count + 3] = unitOf(((b5 & 0x07) << 12) | (byte(bytes, at + 6) << 4) | (b7 >> 4));
    units[count + 4] = unitOf(((b7 & 0x0f) << 11) | (byte(bytes, at + 8) << 3) | (b9 >> 5));
    units[count + 5] = unitOf(((b9 & 0x1f) << 10) | (byte(bytes, at + 10) << 2) | (b11 >> 6));
    units[count + 6] = unitOf(((b11 & 0x3f) << 9) | (byte(bytes, at + 12) << 1) | (b13 >> 7));
    units[count + 7] = unitOf(((b13 & 0x7f) << 8) | byte(bytes, at + 14));
    count += 8;
  }
  let held = 0;
  let bits = 0;
  for (; at < bytes.length; at += 1) {
    held = (held << 8) | byte(bytes, at);
    bits += 8;
    if (bits < BITS) continue;
    bits -= BITS;
    units[count] = unitOf((held >> bits) & MASK);
    count += 1;
  }
  if (bits > SHORT_BITS) units[count] = unitOf((held << (BITS - bits)) & MASK);
  else if (bits > 0) units[count] = FIRST_SHORT + ((held << (SHORT_BITS - bits)) & SHORT_MASK);
  const buffer = Buffer.from(units.buffer);
  return (isBigEndian ? buffer.swap16() : buffer).toString('utf16le');
}

/** @returns undefined when the text is not what `toBase32768` makes of any bytes */
export function fromBase32768(text: string): Buffer | undefined {
  const buffer = Buffer.from(text, 'utf16le');
  if (isBigEndian) buffer.swap16();
  const units = new Uint16Array(buffer.buffer, buffer.byteOffset, text.length);
  const short = (units.at(-1) ?? 0) - FIRST_SHORT;
  const isShort = short >= 0 && short <= SHORT_MASK;
  const count = isShort ? units.length - 1 : units.length;
  const bytes = Buffer.allocUnsafe(Math.floor((count * BITS + (isShort ? SHORT_BITS : 0)) / 8));
  let length = 0;
  let index = 0;
  let seen = 0;
  // As above: twice as fast as unit by unit.
  for (; index + 8 <= count; index += 8) {
    const n0 = number(units, index);
    const n1 = number(units, index + 1);
    const n2 = number(units, index + 2);
    const n3 = number(units, index + 3);
    const n4 = number(units, index + 4);
    const n5 = number(units, index + 5);
    const n6 = number(units, index + 6);
    const n7 = number(units, index + 7);
    seen |= n0 | n1 | n2 | n3 | n4 | n5 | n6 | n7;
    bytes[length] = n0 >> 7;
    bytes[length + 1] = (n0 << 1) | (n1 >> 14);
    bytes[length + 2] = n1 >> 6;
    bytes[length + 3] = (n1 << 2) | (n2 >> 13);
    bytes[length + 4] = n2 >> 5;
    bytes[length + 5] = (n2 << 3) | (n3 >> 12);
    bytes[length + 6] = n3 >> 4;
    bytes[length + 7] = (n3 << 4) | (n4 >> 11);
    bytes[length + 8] = n4 >> 3;
    bytes[length + 9] = (n4 << 5) | (n5 >> 10);
    bytes[length + 10] = n5 >> 2;
    bytes[length + 11] = (n5 << 6) | (n6 >> 9);
    bytes[length + 12] = n6 >> 1;
    bytes[length + 13] = (n6 << 7) | (n7 >> 8);
    bytes[length + 14] = n7;
    length += 15;
  }
  let held = 0;
  let bits = 0;
  for (; index < count; index += 1) {
    const value = number(units, index);
    seen |= value;
    held = (held << BITS) | value;
    bits += BITS - 8;
    bytes[length] = held >> bits;
    length += 1;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length] = held >> bits;
    length += 1;
  }
  if ((seen & ~MASK) !== 0) return undefined;
  if (isShort) {
    held = (held << SHORT_BITS) | short;
    bits += SHORT_BITS;
    // With fewer it stands for no byte.
    if (bits < 8) return undefined;
    bits -= 8;
    bytes[length] = held >> bits;
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
