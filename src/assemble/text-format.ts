/** `2026-11-22 03:00:01 [laptop] -> [nas] Backup complete`: the bytes of a line go out as they came. */
import { RecordList } from '../message/record-list.ts';
import { Clock } from './clock.ts';
import { escapeControls, escapeText } from './escape-controls.ts';
import type { LogLines, LogStretch } from './log-lines.ts';
import type { LineLabels } from './lookup.ts';

const LF = 0x0a;
/** Bounds the memory that feeds with ever new labels can take. */
const MAX_REMEMBERED_LABELS = 1000;

export interface TextOptions {
  readonly utc: boolean;
  /** For a terminal: control characters are shown, not obeyed. */
  readonly escapes: boolean;
  /** Marks the lines of such times. */
  readonly isFuture?: ((at: number) => boolean) | undefined;
}

/** Lines with the same text before each. */
interface Part {
  readonly prefix: Buffer;
  readonly records: RecordList;
  readonly from: number;
  readonly to: number;
}

/** @returns a function from lines to bytes; keep it for as long as there are lines, for it remembers the last second */
export function textFormat({ utc, escapes, isFuture = () => false }: TextOptions): (lines: LogLines) => Buffer {
  const prefixes = new Prefixes(utc, isFuture);
  return ({ stretches }) => {
    const parts: Part[] = [];
    let size = 0;
    for (const stretch of stretches) {
      for (const part of partsOf(stretch, prefixes)) {
        for (const shown of escapes || mayHoldLines(part) ? shownParts(part, escapes) : [part]) {
          const { prefix, records, from, to } = shown;
          parts.push(shown);
          size += (to - from) * prefix.length + records.bytes(to) - records.bytes(from);
        }
      }
    }
    const bytes = Buffer.allocUnsafe(size);
    let end = 0;
    for (const part of parts) end = part.records.write(bytes, end, part);
    return bytes;
  };
}

/** Lines of one time have one prefix. */
function* partsOf({ labels, records, from, to }: LogStretch, prefixes: Prefixes): Generator<Part, undefined> {
  for (let start = from; start < to; ) {
    const end = Math.min(records.endOfTime(start), to);
    yield { prefix: prefixes.of(records.at(start), labels), records, from: start, to: end };
    start = end;
  }
}

/** A text from another tool may hold newlines; it is alone in its list. */
function mayHoldLines({ records }: Part): boolean {
  return records.length === 1;
}

/** Each line of a text gets the prefix, so that none can be forged. */
function* shownParts({ prefix, records, from, to }: Part, escapes: boolean): Generator<Part, undefined> {
  for (let index = from; index < to; index += 1) {
    const record = records.record(index);
    for (const bytes of linesIn(record.bytes)) {
      const shown = RecordList.alone({ ...record, bytes: escapes ? escapeControls(bytes) : bytes });
      yield { prefix, records: shown, from: 0, to: 1 };
    }
  }
}

function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start === 0) return [bytes];
  if (start < bytes.length) lines.push(bytes.subarray(start));
  return lines;
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
