/** The lines in a message. Feeds are other people's: what is not as it should be gives no lines. */
import { decompress } from 'brotli/decompress.js';

const MAX_BLOCK_BYTES = 1_048_576;

/** @returns `{at, source, destination, text}` of each line in a `log` or `log-block` message */
export function linesOf({ timestamp, content }) {
  const { type, source = '?', destination } = content ?? {};
  if (type === 'log' && typeof content.text === 'string') {
    return [{ at: content.at ?? timestamp, source, destination, text: content.text }];
  }
  if (type !== 'log-block') return [];
  try {
    return recordsOf(content).map(({ at, text }) => ({ at, source, destination, text }));
  } catch {
    return [{ at: timestamp, source, destination, text: `(${content.lines} lines that cannot be shown here)` }];
  }
}

/** What a block's data is: src/message/base32768.ts describes the text. */
const BYTES_OF = {
  'brotli-base32768': (text) => {
    const bytes = [];
    let held = 0;
    let bits = 0;
    for (const character of text) {
      const unit = character.charCodeAt(0);
      const [number, width] =
        unit >= 0xc000 ? [unit - 0xc000, 7] : unit >= 0xac00 ? [unit - 0x4000, 15] : [unit - 0x3400, 15];
      held = (held << width) | number;
      bits += width;
      for (; bits >= 8; bits -= 8) bytes.push((held >> (bits - 8)) & 0xff);
    }
    return Buffer.from(bytes);
  },
  brotli: (text) => Buffer.from(text, 'base64'),
};

/** The format of a block is described in src/message/block.ts. */
function recordsOf({ encoding, data, at: [first], lines }) {
  const bytesOf = BYTES_OF[encoding];
  if (bytesOf === undefined) throw new Error(`${encoding} is not unpacked here`);
  const payload = new TextDecoder().decode(decompress(bytesOf(data), MAX_BLOCK_BYTES));
  const [header, ...texts] = payload.slice(0, -1).split('\n');
  const { times = [lines], more = [] } = JSON.parse(header);
  const records = [];
  let at = first;
  let left = times[0];
  let step = 1;
  let isGoingOn = false;
  for (const [index, text] of texts.entries()) {
    if (left === 0) {
      at += times[step];
      left = times[step + 1];
      step += 2;
    }
    left -= 1;
    if (isGoingOn) records[records.length - 1].text += text;
    else records.push({ at, text });
    isGoingOn = more.includes(index);
  }
  return records;
}
