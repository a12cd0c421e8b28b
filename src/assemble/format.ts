/** Lines to the bytes of an output: text, JSON lines or CSV. */
import { CSV_HEADER, csvFormat } from './csv-format.ts';
import { jsonFormat } from './json-format.ts';
import type { LogLines } from './log-lines.ts';
import { textFormat } from './text-format.ts';

export type OutputName = 'text' | 'json' | 'csv';

export interface FormatOptions {
  /** Default: text. */
  readonly output?: OutputName;
  /** Times in UTC instead of local time; concerns text only. */
  readonly utc?: boolean;
  /** For a terminal: control characters are shown, not obeyed. */
  readonly escape?: boolean;
  /** Which times are in the future; concerns text, whose lines are marked then, and JSON. */
  readonly isFuture?: (at: number) => boolean;
}

export interface LineFormat {
  /** What stands before the first line; may be empty. */
  readonly header: Buffer;
  format(lines: LogLines): Buffer;
}

/** Keep the format for as long as there are lines: it remembers what the last ones had in common. */
export function lineFormat(options: FormatOptions = {}): LineFormat {
  const { output = 'text', utc = false, escape: escapes = false, isFuture } = options;
  const noHeader = Buffer.alloc(0);
  switch (output) {
    case 'text':
      return { header: noHeader, format: textFormat({ utc, escapes, isFuture }) };
    case 'json':
      return { header: noHeader, format: jsonFormat({ escapes, isFuture }) };
    case 'csv':
      return { header: CSV_HEADER, format: csvFormat({ escapes }) };
  }
}
