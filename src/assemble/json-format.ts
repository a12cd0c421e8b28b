/** One JSON object a line, with the fields that the command line promises. */
import { isUtf8 } from 'node:buffer';
import { escapeJson } from './escape-controls.ts';
import { type LogLine, lineText } from './log-line.ts';
import type { LogLines } from './log-lines.ts';

interface LineJson {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly source: string;
  readonly destination: string | null;
  readonly job: string | null;
  readonly run: string | null;
  readonly line: number | null;
  readonly level: string | null;
  readonly stream: string | null;
  readonly text: string;
  readonly feed: string;
  readonly sequence: number;
  /** The line's bytes in base64, only when they are not UTF-8: `text` then has U+FFFD in their place. */
  readonly raw?: string;
  /** The line is dated later than now; only where it is. */
  readonly future?: true;
}

interface JsonOptions {
  /** For a terminal: also what JSON leaves as it is, but terminals may obey. */
  readonly escapes: boolean;
  readonly isFuture?: ((at: number) => boolean) | undefined;
}

function lineJson(line: LogLine): LineJson {
  const { at, source, destination, job, run, level, stream, bytes, feed, sequence } = line;
  const json = {
    at,
    source,
    destination: destination ?? null,
    job: job ?? null,
    run: run ?? null,
    line: line.line ?? null,
    level: level ?? null,
    stream: stream ?? null,
    text: lineText(line),
    feed,
    sequence,
  };
  return isUtf8(bytes) ? json : { ...json, raw: bytes.toString('base64') };
}

export function jsonFormat({ escapes, isFuture }: JsonOptions): (lines: LogLines) => Buffer {
  return (lines) => {
    let text = '';
    for (const line of lines) {
      const fields = lineJson(line);
      const json = JSON.stringify(isFuture?.(line.at) ? { ...fields, future: true } : fields);
      text += `${escapes ? escapeJson(json) : json}\n`;
    }
    return Buffer.from(text, 'utf8');
  };
}
