/** Comma-separated values (RFC 4180): a header, CRLF after each record, quotes only where they are needed. */
import { escapeControls } from './escape-controls.ts';
import type { LogLines } from './log-lines.ts';

const FIELDS = [
  'at',
  'source',
  'destination',
  'job',
  'run',
  'line',
  'level',
  'stream',
  'text',
  'feed',
  'sequence',
] as const;

export const CSV_HEADER = Buffer.from(`${FIELDS.join()}\r\n`);

const NEEDS_QUOTES = /[",\r\n]/;

/** @param options.escapes for a terminal: control characters are shown, not obeyed */
export function csvFormat({ escapes }: { readonly escapes: boolean }): (lines: LogLines) => Buffer {
  return (lines) => {
    let text = '';
    for (const line of lines) {
      const values = FIELDS.map((field) => (field === 'text' ? line.bytes : Buffer.from(String(line[field] ?? ''))));
      text += `${values.map((value) => quoted(escapes ? escapeControls(value) : value)).join()}\r\n`;
    }
    return Buffer.from(text, 'latin1');
  };
}

/** One character stands for one byte, so that bytes which are not UTF-8 pass through. */
function quoted(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
