/**
 * Many records of one run as a `log-block` message, and back. Knows the format, not when to make a block.
 *
 * `data` is a Brotli stream (RFC 7932) in base32768 (`encoding` is `brotli-base32768`: see base32768.ts) or, as older
 * versions wrote it, in base64 (`brotli`), or a raw deflate stream (RFC 1951) in base64 (`deflate-raw`). It unpacks to
 * at most MAX_BLOCK_BYTES:
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
import { compress, dataBytes, dataText, type Effort, ENCODING, uncompress } from './block-encodings.ts';
import type { LogBlockContent } from './content.ts';
import { LEVELS, type Level } from './level.ts';
import { MAX_BLOCK_BYTES } from './limits.ts';
import type { LogRecord, RunLabels } from './record.ts';
import { RecordList } from './record-list.ts';

const LF = 0x0a;

const NONE = '-';

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

/** A block whose data is not text yet. */
export interface PackedBlock {
  /** With '' in the place of `data`. */
  readonly content: LogBlockContent;
  readonly data: Buffer;
}

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
  return sealBlock(packBlock(labels, RecordList.of(records), records.length, effort));
}

/** The same for the first `count` records of a list, which hold no newlines, but for the last step. */
export function packBlock(labels: RunLabels, records: RecordList, count: number, effort: Effort): PackedBlock {
  const times = records.times(count);
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a block needs records');
  const header: Header = {};
  if (times.length > 1) header.times = timesColumn(times);
  const levels = records.levels(count);
  header.levels = column(levels);
  header.streams = column(records.streams(count));
  const more = records.more(count);
  if (more.length > 0) header.more = more;
  const payload = records.payload(JSON.stringify(header), count);
  if (payload.length > MAX_BLOCK_BYTES)
    throw new Error(`a block of ${payload.length} bytes is more than readers unpack`);
  const content: LogBlockContent = {
    type: 'log-block',
    source: labels.source,
    run: labels.run,
    line: records.line,
    lines: count,
    at: [first.at, last.at],
    encoding: ENCODING,
    data: '',
  };
  if (labels.destination !== undefined) content.destination = labels.destination;
  if (labels.job !== undefined) content.job = labels.job;
  const level = worstOf(levels);
  if (level !== undefined) content.level = level;
  if (more.length > 0) content.more = true;
  return { content, data: compress(payload, effort) };
}

/** The content, ready to be signed. */
export function sealBlock({ content, data }: PackedBlock): LogBlockContent {
  return { ...content, data: dataText(ENCODING, data) };
}

function timesColumn(times: readonly { readonly at: number; readonly records: number }[]): number[] {
  return times.flatMap(({ at, records }, index) => {
    const before = times[index - 1];
    return before === undefined ? [records] : [at - before.at, records];
  });
}

/** One symbol a record, or one for all of them; undefined where there is nothing to say. */
function column(symbols: string): string | undefined {
  const first = symbols.charCodeAt(0);
  for (let index = 1; index < symbols.length; index += 1) if (symbols.charCodeAt(index) !== first) return symbols;
  return symbols.charAt(0) === NONE ? undefined : symbols.charAt(0);
}

/** A block that has been found to be what its content says. */
export interface OpenedBlock {
  readonly records: RecordList;
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
  return more === true || encoding === 'deflate-raw' ? undefined : { last: at[1], worst: level };
}

/** The records of a content that has been checked: see `openBlock`. @param data in the place of `content.data` */
export function decodeBlock(content: LogBlockContent, data?: Uint8Array): RecordList {
  return openBlock(content, data).records;
}

/**
 * All of the block is verified.
 * @param content that has been checked
 * @param data its `data` as bytes
 * @throws SsblogError 'peer' when the data is not what the content says, or unpacks to too much
 */
export function openBlock(content: LogBlockContent, data?: Uint8Array): OpenedBlock {
  const payload = unpackData(content, data);
  const bodyStart = payload.indexOf(LF) + 1;
  if (bodyStart === 0) throw unreadable('it has no header');
  const header = parseHeader(payload.toString('utf8', 0, bodyStart - 1));
  const body = payload.subarray(bodyStart);
  const ends = endsOf(body, content.lines);
  if (ends === undefined) throw unreadable(`it does not hold the ${content.lines} lines that it announces`);
  checkNumbers(content);
  const last = checkHeader(header, content);
  const { lines, line, at } = content;
  const { times, levels, streams, more = [] } = header;
  const summary = header.more === undefined ? { last, worst: worstOf(levels) } : undefined;
  const records = RecordList.from({
    line,
    body,
    ends,
    levels: symbols(levels, lines),
    streams: symbols(streams, lines),
    ...timesOf(at[0], times),
    more,
  });
  return { records, summary };
}

function worstOf(levels = ''): Level | undefined {
  for (let rank = 0; rank < LEVELS.length; rank += 1) if (levels.includes(String(rank))) return LEVELS[rank];
  return undefined;
}

function unreadable(reason: string, cause?: unknown): SsblogError {
  return new SsblogError('peer', `unreadable log-block: ${reason}`, { cause });
}

function unpackData({ encoding, data }: LogBlockContent, bytes?: Uint8Array): Buffer {
  const packed = bytes ?? dataBytes(encoding, data);
  if (packed === undefined) throw unreadable(`its data is not in ${encoding}`);
  try {
    return uncompress(encoding, packed);
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

/** @returns where each line ends, its LF included; undefined when there are more or fewer lines */
function endsOf(body: Buffer, lines: number): Uint32Array | undefined {
  if (!Number.isInteger(lines) || lines < 1 || lines > body.length) return undefined;
  const ends = new Uint32Array(lines);
  let end = 0;
  for (let index = 0; index < lines; index += 1) {
    end = body.indexOf(LF, end) + 1;
    if (end === 0) return undefined;
    ends[index] = end;
  }
  return end === body.length ? ends : undefined;
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

/** @param column of a header that was checked */
function symbols(column = NONE, lines: number): Buffer {
  return column.length === 1 ? Buffer.alloc(lines, column) : Buffer.from(column, 'latin1');
}

/** @param column of a header that was checked */
function timesOf(first: number, column: readonly number[] = []): { times: number[]; timeStarts: number[] } {
  const times = [first];
  const timeStarts = [0];
  let start = 0;
  for (let index = 1; index < column.length; index += 2) {
    start += column[index - 1] as number;
    times.push((times.at(-1) as number) + (column[index] as number));
    timeStarts.push(start);
  }
  return { times, timeStarts };
}
