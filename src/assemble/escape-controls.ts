/** Characters that could drive a terminal, or make one line look like two, shown instead of obeyed. */
import { isUtf8 } from 'node:buffer';

/**
 * C0 except the tab, DEL, C1, the separators of lines and paragraphs, and what turns the direction of writing
 * (UAX #9): all of them can make what is seen differ from what is there.
 */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

function shown(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, count: number): string {
  return code.toString(16).padStart(count, '0');
}

/** The text with control characters as `\x1b`, `\r` and the like. */
export function escapeText(text: string): string {
  return text.replace(CONTROLS, shown);
}

/** The same for bytes; those that are not UTF-8 become U+FFFD, for some terminals take them for controls as well. */
export function escapeControls(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  const escaped = escapeText(text);
  return escaped === text && isUtf8(bytes) ? bytes : Buffer.from(escaped, 'utf8');
}

/** The same for JSON, of which it stays the same JSON. */
export function escapeJson(json: string): string {
  return json.replace(CONTROLS, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
}
