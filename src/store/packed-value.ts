/**
 * A message's signed value as a row keeps it: JSON, with a block's `data` beside it as bytes. As text it would
 * take a third (base64) or 60 % (base32768) more space, in the file and in everything that is written before it. Pure.
 */
import { dataBytes, dataText, isOnlyText } from '../message/block-encodings.ts';
import type { SignedValue } from '../message/signed.ts';

export interface PackedValue {
  /** JSON; where there is `data`, with '' in the place of `content.data`. */
  readonly text: string;
  readonly data: Uint8Array | null;
}

/** The value itself is left as it is. */
export function packValue(value: SignedValue): PackedValue {
  const content = value.content as { type?: unknown; encoding?: unknown; data?: unknown } | null;
  if (content?.type === 'log-block' && typeof content.data === 'string') {
    const data = dataBytes(content.encoding, content.data);
    // Whatever else decodes to these bytes must come back as it was signed.
    if (data !== undefined && data.length > 0 && isOnlyText(content.encoding, content.data, data))
      return { text: JSON.stringify({ ...value, content: { ...content, data: '' } }), data };
  }
  return { text: JSON.stringify(value), data: null };
}

/**
 * @returns an object whose JSON is what was signed, down to the order of its fields
 * @throws SyntaxError when the text is damaged
 */
export function unpackValue({ text, data }: PackedValue): SignedValue {
  const value = JSON.parse(text) as SignedValue;
  if (data === null) return value;
  const content = value?.content as { encoding?: unknown; data?: string } | null | undefined;
  if (typeof content === 'object' && content !== null)
    content.data = dataText(content.encoding, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return value;
}
