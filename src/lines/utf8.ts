/** Where bytes may be cut without cutting a character. */

/**
 * @param index where a cut is wanted: inside `bytes`, not at their end
 * @returns `index`, or the start (up to 3 bytes before) of the UTF-8 character that a cut at `index` would go through.
 * Bytes that are not UTF-8 are cut at `index`.
 */
export function characterCut(bytes: Uint8Array, index: number): number {
  if (!isContinuation(bytes[index])) return index;
  for (let back = 1; back <= 3 && back <= index; back += 1) {
    const byte = bytes[index - back];
    if (!isContinuation(byte)) return characterLength(byte) > back ? index - back : index;
  }
  return index;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** How long the first byte of a character says that it is. */
function characterLength(lead: number | undefined): number {
  if (lead === undefined || lead < 0xc0 || lead > 0xf7) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
