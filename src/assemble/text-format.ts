/** `2026-11-22 03:00:01 [laptop] -> [nas] Backup complete`: the bytes of a line go out as they came. */
import { Clock } from './clock.ts';
import { escapeControls, escapeText } from './escape-controls.ts';
import type { LogLine } from './log-line.ts';

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

/** @returns a function from lines to bytes; keep it for as long as there are lines, for it remembers the last second */
export function textFormat({
  utc,
  escapes,
  isFuture = () => false,
}: TextOptions): (lines: readonly LogLine[]) => Buffer {
  const prefixes = new Prefixes(utc, isFuture);
  return (lines) => {
    const pieces: Buffer[] = [];
    let size = 0;
    for (const line of lines) {
      const prefix = prefixes.of(line);
      for (const bytes of linesIn(line.bytes)) {
        const shown = escapes ? escapeControls(bytes) : bytes;
        pieces.push(prefix, shown);
        size += prefix.length + shown.length + 1;
      }
    }
    return join(pieces, size);
  };
}

/** A text from another tool may hold newlines; each line of it gets the prefix, so that none can be forged. */
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

/** @param pieces a prefix and a text in turn */
function join(pieces: readonly Buffer[], size: number): Buffer {
  const joined = Buffer.allocUnsafe(size);
  let end = 0;
  let isText = false;
  for (const piece of pieces) {
    joined.set(piece, end);
    end += piece.length;
    if (isText) joined[end++] = LF;
    isText = !isText;
  }
  return joined;
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

  of({ at, source, destination }: LogLine): Buffer {
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
