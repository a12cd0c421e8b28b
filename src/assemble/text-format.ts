/** `2026-11-22 03:00:01 [laptop] -> [nas] Backup complete`: the bytes of a line go out as they came. */
import type { RecordList } from '../message/record-list.ts';
import { Clock } from './clock.ts';
import { escapeControls, escapeText } from './escape-controls.ts';
import { countNewlines } from './log-line.ts';
import type { LogLines } from './log-lines.ts';
import type { LineLabels } from './lookup.ts';

const LF = 0x0a;
const NEWLINE = Buffer.of(LF);
/** Bounds the memory that feeds with ever new labels can take. */
const MAX_REMEMBERED_LABELS = 1000;

export interface TextOptions {
  readonly utc: boolean;
  /** For a terminal: control characters are shown, not obeyed. */
  readonly escapes: boolean;
  /** Marks the lines of such times. */
  readonly isFuture?: ((at: number) => boolean) | undefined;
}

/** Lines with the same text before each: records of a block, or the lines of one text. */
type Part = { readonly prefix: Buffer } & (
  | { readonly records: RecordList; readonly from: number; readonly to: number }
  | { readonly text: Buffer }
);

/** @returns a function from lines to bytes; keep it for as long as there are lines, for it remembers the last second */
export function textFormat({ utc, escapes, isFuture = () => false }: TextOptions): (lines: LogLines) => Buffer {
  const prefixes = new Prefixes(utc, isFuture);
  return ({ stretches }) => {
    const parts: Part[] = [];
    for (const { labels, records, from, to } of stretches) {
      for (let start = from; start < to; ) {
        // Lines of one time have one prefix.
        const end = Math.min(records.endOfTime(start), to);
        const prefix = prefixes.of(records.at(start), labels);
        // A text from another tool may hold newlines; it is alone in its list.
        if (escapes || records.length === 1)
          for (let index = start; index < end; index += 1)
            parts.push({ prefix, text: shownText(records.text(index), escapes) });
        else parts.push({ prefix, records, from: start, to: end });
        start = end;
      }
    }
    const bytes = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + sizeOf(part), 0));
    let end = 0;
    for (const part of parts) end = 'text' in part ? writeText(bytes, end, part) : part.records.write(bytes, end, part);
    return bytes;
  };
}

function sizeOf(part: Part): number {
  const { prefix } = part;
  if ('text' in part) {
    const { text } = part;
    const lastLf = endsInLf(text) ? 0 : 1;
    return (countNewlines(text) + lastLf) * prefix.length + text.length + lastLf;
  }
  const { records, from, to } = part;
  return (to - from) * prefix.length + records.bytes(to) - records.bytes(from);
}

/** Each line of a text gets the prefix, so that none can be forged. @returns where in `target` it ends */
function writeText(target: Buffer, start: number, { prefix, text }: { prefix: Buffer; text: Buffer }): number {
  let at = start;
  let lineStart = 0;
  do {
    const newline = text.indexOf(LF, lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    target.set(prefix, at);
    at += prefix.length;
    target.set(text.subarray(lineStart, lineEnd), at);
    at += lineEnd - lineStart;
    target[at++] = LF;
    lineStart = lineEnd + 1;
  } while (lineStart < text.length);
  return at;
}

function endsInLf(text: Buffer): boolean {
  return text.length > 0 && text[text.length - 1] === LF;
}

function shownText(text: Buffer, escapes: boolean): Buffer {
  if (!escapes) return text;
  if (!text.includes(LF)) return escapeControls(text);
  const lines = text.toString('latin1', 0, endsInLf(text) ? text.length - 1 : text.length).split('\n');
  return Buffer.concat(lines.flatMap((line) => [escapeControls(Buffer.from(line, 'latin1')), NEWLINE]));
}

/** What stands before the text; neighbouring lines mostly have the same. */
class Prefixes {
  readonly #clock: Clock;
  readonly #isFuture: (at: number) => boolean;
  readonly #labels = new Map<string, Map<string | undefined, string>>();
  #time = '';
  #source = '';
  #destination: string | undefined;
  #prefix = Buffer.alloc(0);

  constructor(utc: boolean, isFuture: (at: number) => boolean) {
    this.#clock = new Clock({ utc });
    this.#isFuture = isFuture;
  }

  of(at: number, { source, destination }: LineLabels): Buffer {
    const time = `${this.#clock.text(at)}${this.#isFuture(at) ? ' (future)' : ''}`;
    if (time !== this.#time || source !== this.#source || destination !== this.#destination) {
      this.#time = time;
      this.#source = source;
      this.#destination = destination;
      this.#prefix = Buffer.from(`${time} ${this.#labelText(source, destination)} `, 'utf8');
    }
    return this.#prefix;
  }

  /** Always escaped: a label with a newline could forge a line. */
  #labelText(source: string, destination: string | undefined): string {
    const known = this.#labels.get(source)?.get(destination);
    if (known !== undefined) return known;
    const from = `[${escapeText(source)}]`;
    const text = destination === undefined ? from : `${from} -> [${escapeText(destination)}]`;
    if (this.#labels.size >= MAX_REMEMBERED_LABELS) this.#labels.clear();
    const ofSource = this.#labels.get(source) ?? new Map<string | undefined, string>();
    if (ofSource.size < MAX_REMEMBERED_LABELS) ofSource.set(destination, text);
    this.#labels.set(source, ofSource);
    return text;
  }
}
