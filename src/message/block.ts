/**
 * Many records of one run as a `log-block` message, and back. Knows the format, not when to make a block.
 *
 * `data` is base64 of a Brotli stream (RFC 7932; `encoding` is `brotli`) or of a raw deflate stream (RFC 1951;
 * `deflate-raw`). It unpacks to at most MAX_BLOCK_BYTES:
 *
 *     header LF record LF record LF … record LF
 *
 * A record is a line's bytes as they came, whatever they are: only LF (0x0A) cannot be in them. There are `content.lines`
 * records, numbered `content.line`, `content.line` + 1, … `header` is one JSON object without an LF; each of its fields
 * describes all records, in their order, and is left out where it would say nothing. Unknown fields are ignored.
 *
 * - `times`: `[n0, d1, n1, d2, n2, …]`, integers: the first n0 records are of time `content.at[0]`, the next n1 are d1
 *   milliseconds later, the next n2 another d2 milliseconds later, and so on. The counts, each at least 1, add up to
 *   `content.lines`; no step is negative; the last time is at most `content.at[1]`. Left out: all are of `content.at[0]`.
 * - `levels`: one character a record: `0` (emerg) to `7` (debug) as in syslog, `-` for none. A single character holds
 *   for all records. Left out: no record has a level.
 * - `streams`: likewise, `o` for stdout, `e` for stderr, `-` for neither.
 * - `more`: ascending indices, from 0, of the records whose line goes on in the next record. Left out: none.
 */
import * as z from 'zod';
import { SsblogError } from '../errors.ts';
import { compress, type Effort, uncompress } from './block-encodings.ts';
import type { LogBlockContent } from './content.ts';
import { LEVELS, type Level, levelRank } from './level.ts';
import { MAX_BLOCK_BYTES } from './limits.ts';
import type { LogRecord, RunLabels, StreamName } from './record.ts';

const LF = 0x0a;

const NONE = '-';
const STREAM_SYMBOLS: Readonly<Record<StreamName, string>> = { stdout: 'o', stderr: 'e' };
const STREAMS: Readonly<Record<string, StreamName>> = { o: 'stdout', e: 'stderr' };

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const headerSchema = z.object({
  times: z.array(count).optional(),
  levels: z
    .string()
    .regex(/^[0-7-]+$/)
    .optional(),
  streams: z
    .string()
    .regex(/^[oe-]+$/)
    .optional(),
  more: z.array(count).optional(),
});
type Header = z.infer<typeof headerSchema>;

/**
 * The content for records that follow each other in one run (numbers without gaps, times that do not go back).
 * It may be too large for a message: see `fits`.
 * @throws Error when there are no records, when one holds a newline, when they unpack to more than MAX_BLOCK_BYTES
 */
export function encodeBlock(
  labels: RunLabels,
  records: readonly LogRecord[],
  effort: Effort = 'small',
): LogBlockContent {
  const first = records[0];
  const last = records.at(-1);
  if (first === undefined || last === undefined) throw new Error('a block needs records');
  const content: LogBlockContent = {
    type: 'log-block',
    source: labels.source,
    run: labels.run,
    line: first.line,
    lines: records.length,
    at: [first.at, last.at],
    encoding: 'brotli',
    data: compress(payloadOf(records), effort).toString('base64'),
  };
  if (labels.destination !== undefined) content.destination = labels.destination;
  if (labels.job !== undefined) content.job = labels.job;
  const level = worstLevel(records);
  if (level !== undefined) content.level = level;
  if (records.some(({ more }) => more)) content.more = true;
  return content;
}

function payloadOf(records: readonly LogRecord[]): Buffer {
  const header = JSON.stringify(headerOf(records));
  let size = header.length + 1;
  for (const { bytes } of records) size += bytes.length + 1;
  if (size > MAX_BLOCK_BYTES) throw new Error(`a block of ${size} bytes is more than readers unpack`);
  const payload = Buffer.allocUnsafe(size);
  let end = payload.write(header, 'latin1');
  payload[end++] = LF;
  const bodyStart = end;
  for (let index = 0; index < records.length; ) {
    const [stretch, next] = stretchFrom(records, index);
    payload.set(stretch, end);
    end += stretch.length;
    payload[end++] = LF;
    index = next;
  }
  if (countNewlines(payload, bodyStart) !== records.length) throw new Error('a record holds a newline');
  return payload;
}

/**
 * Lines that were read at once lie side by side in memory, with the newline that ended each: they are copied as one.
 * @returns their bytes without the last newline, and the index of the record after them
 */
function stretchFrom(records: readonly LogRecord[], first: number): [stretch: Uint8Array, next: number] {
  const { buffer, byteOffset, length } = (records[first] as LogRecord).bytes;
  const memory = new Uint8Array(buffer);
  let end = byteOffset + length;
  let next = first + 1;
  for (; next < records.length && memory[end] === LF; next += 1) {
    const { bytes } = records[next] as LogRecord;
    if (bytes.buffer !== buffer || bytes.byteOffset !== end + 1) break;
    end += 1 + bytes.length;
  }
  return [memory.subarray(byteOffset, end), next];
}

function headerOf(records: readonly LogRecord[]): Header {
  const header: Header = {};
  const times = timesOf(records);
  if (times.length > 1) header.times = times;
  const levels = column(records, levelSymbol);
  if (levels !== NONE) header.levels = levels;
  const streams = column(records, streamSymbol);
  if (streams !== NONE) header.streams = streams;
  const more: number[] = [];
  for (const [index, record] of records.entries()) if (record.more) more.push(index);
  if (more.length > 0) header.more = more;
  return header;
}

function levelSymbol({ level }: LogRecord): string {
  return level === undefined ? NONE : String(levelRank(level));
}

function streamSymbol({ stream }: LogRecord): string {
  return stream === undefined ? NONE : STREAM_SYMBOLS[stream];
}

function timesOf(records: readonly LogRecord[]): number[] {
  const times: number[] = [];
  let at = records[0]?.at ?? 0;
  let same = 0;
  for (const record of records) {
    if (record.at !== at) {
      times.push(same, record.at - at);
      at = record.at;
      same = 0;
    }
    same += 1;
  }
  times.push(same);
  return times;
}

/** One symbol a record, or one for all of them. */
function column(records: readonly LogRecord[], symbolOf: (record: LogRecord) => string): string {
  let symbols = '';
  let previous: string | undefined;
  let isUniform = true;
  for (const record of records) {
    const symbol = symbolOf(record);
    if (previous !== undefined && symbol !== previous) isUniform = false;
    previous = symbol;
    symbols += symbol;
  }
  return isUniform ? symbols.charAt(0) : symbols;
}

function worstLevel(records: readonly LogRecord[]): Level | undefined {
  let worst: number = LEVELS.length;
  for (const { level } of records) if (level !== undefined) worst = Math.min(worst, levelRank(level));
  return LEVELS[worst];
}

/** A block that has been found to be what its content says. */
export interface OpenedBlock {
  /** Made one by one, because a small message may hold very many. */
  readonly records: IterableIterator<LogRecord>;
  readonly summary: BlockSummary | undefined;
}

/** What can be said of all records together, unless the line of one of them goes on in the next. */
export interface BlockSummary {
  /** The last record's time. */
  readonly last: number;
  readonly worst: Level | undefined;
}

/**
 * What `encodeBlock` says of a block of its own: nothing else may be believed without a look at the data. Those in
 * deflate are an older ssblog's, from a spool or a `pipe` that still runs, and do not tell of lines that go on.
 */
export function ownSummary({ at, level, more, encoding }: LogBlockContent): BlockSummary | undefined {
  return more === true || encoding !== 'brotli' ? undefined : { last: at[1], worst: level };
}

/** The records of a content that has been checked: see `openBlock`. */
export function decodeBlock(content: LogBlockContent): IterableIterator<LogRecord> {
  return openBlock(content).records;
}

/**
 * All of the block is verified before the first record is given out.
 * @param content that has been checked
 * @throws SsblogError 'peer' when the data is not what the content says, or unpacks to too much
 */
export function openBlock(content: LogBlockContent): OpenedBlock {
  const payload = unpackData(content);
  const bodyStart = payload.indexOf(LF) + 1;
  if (bodyStart === 0) throw unreadable('it has no header');
  const header = parseHeader(payload.toString('utf8', 0, bodyStart - 1));
  if (payload.at(-1) !== LF || countNewlines(payload, bodyStart) !== content.lines)
    throw unreadable(`it does not hold the ${content.lines} lines that it announces`);
  checkNumbers(content);
  const last = checkHeader(header, content);
  const summary = header.more === undefined ? { last, worst: worstOf(header.levels) } : undefined;
  return { records: unpack(content, header, payload, bodyStart), summary };
}

function worstOf(levels = ''): Level | undefined {
  const worst = [...'01234567'].find((symbol) => levels.includes(symbol));
  return worst === undefined ? undefined : LEVELS[Number(worst)];
}

function unreadable(reason: string, cause?: unknown): SsblogError {
  return new SsblogError('peer', `unreadable log-block: ${reason}`, { cause });
}

function unpackData({ encoding, data }: LogBlockContent): Buffer {
  try {
    return uncompress(encoding, Buffer.from(data, 'base64'));
  } catch (cause) {
    throw unreadable('its data does not unpack', cause);
  }
}

function parseHeader(text: string): Header {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw unreadable('its header is broken', cause);
  }
}

function countNewlines(bytes: Buffer, start: number): number {
  let newlines = 0;
  for (let at = bytes.indexOf(LF, start); at !== -1; at = bytes.indexOf(LF, at + 1)) newlines += 1;
  return newlines;
}

function checkNumbers(content: LogBlockContent): void {
  if (content.line + content.lines > Number.MAX_SAFE_INTEGER) throw unreadable('its line numbers are too large');
  if (!content.at.every(Number.isInteger)) throw unreadable('its times are not whole milliseconds');
}

/** @returns the last record's time */
function checkHeader(header: Header, content: LogBlockContent): number {
  const { lines } = content;
  const times = header.times ?? [lines];
  let counted = 0;
  let at = content.at[0];
  times.forEach((value, index) => {
    if (index % 2 === 1) at += value;
    else if (value > 0) counted += value;
    else counted = Number.NaN;
  });
  if (times.length % 2 === 0 || counted !== lines) throw unreadable('its times do not match its lines');
  if (at > content.at[1]) throw unreadable('its times lie outside what it announces');
  for (const symbols of [header.levels, header.streams])
    if (symbols !== undefined && symbols.length !== 1 && symbols.length !== lines)
      throw unreadable('its levels or streams do not match its lines');
  let previous = -1;
  for (const index of header.more ?? []) {
    if (index <= previous || index >= lines) throw unreadable('its long lines do not match its lines');
    previous = index;
  }
  return at;
}

function* unpack(
  content: LogBlockContent,
  header: Header,
  payload: Buffer,
  bodyStart: number,
): Generator<LogRecord, undefined> {
  const { times = [content.lines], levels = NONE, streams = NONE, more = [] } = header;
  let start = bodyStart;
  let at = content.at[0];
  let timeIndex = 0;
  let nextStep = times[0] ?? content.lines;
  let moreIndex = 0;
  for (let index = 0; index < content.lines; index += 1) {
    if (index === nextStep) {
      at += times[timeIndex + 1] ?? 0;
      timeIndex += 2;
      nextStep += times[timeIndex] ?? content.lines;
    }
    const isMore = more[moreIndex] === index;
    if (isMore) moreIndex += 1;
    const end = payload.indexOf(LF, start);
    yield {
      line: content.line + index,
      at,
      bytes: payload.subarray(start, end),
      level: LEVELS[Number(symbolAt(levels, index))],
      stream: STREAMS[symbolAt(streams, index)],
      more: isMore,
    };
    start = end + 1;
  }
}

function symbolAt(column: string, index: number): string {
  return column.length === 1 ? column : column.charAt(index);
}
