/**
 * One record as a `log` message, which plain SSB tools can read and write, and back.
 * Bytes that are not UTF-8 travel twice: readable in `text`, with U+FFFD for what is no character, and exactly in `raw`.
 */
import { isUtf8 } from 'node:buffer';
import type { LogContent } from './content.ts';
import { MAX_TIME_MS } from './limits.ts';
import type { LogRecord, RunLabels } from './record.ts';

/** The content for one record. It may be too large for a message: see `fits`. */
export function encodeLog(labels: RunLabels, record: LogRecord): LogContent {
  const { bytes } = record;
  const content: LogContent = { type: 'log', source: labels.source, text: '' };
  if (labels.destination !== undefined) content.destination = labels.destination;
  content.text = bytes.toString('utf8');
  content.at = record.at;
  content.run = labels.run;
  content.line = record.line;
  if (labels.job !== undefined) content.job = labels.job;
  if (record.level !== undefined) content.level = record.level;
  if (record.stream !== undefined) content.stream = record.stream;
  if (!isUtf8(bytes)) content.raw = bytes.toString('base64');
  if (record.more) content.more = true;
  return content;
}

/**
 * The record in a content that has been checked. Tools other than ssblog may leave out all but `text`,
 * which may then hold newlines.
 * @param message the signed message's own time and number, for contents that have none
 */
export function decodeLog(
  content: LogContent,
  message: { readonly timestamp: number; readonly sequence: number },
): LogRecord {
  return {
    line: content.line ?? message.sequence,
    at: Math.min(Math.max(Math.floor(content.at ?? message.timestamp), 0), MAX_TIME_MS),
    // A lone surrogate cannot be written as UTF-8; Buffer.from puts U+FFFD in its place.
    bytes: content.raw === undefined ? Buffer.from(content.text, 'utf8') : Buffer.from(content.raw, 'base64'),
    level: content.level,
    stream: content.stream,
    more: content.more === true,
  };
}
