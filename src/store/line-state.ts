/**
 * Which records go on a line that an earlier record of their run began. Pieces of a long line on one stream may have
 * whole lines of the other stream between them, so each stream has a bit of its own.
 */
import type { LogRecord } from '../message/record.ts';

/** A set of streams (one bit each) whose last record said that its line goes on. */
export type OpenStreams = number;

export const NONE_OPEN: OpenStreams = 0;

function bit(stream: LogRecord['stream']): number {
  if (stream === 'stdout') return 2;
  return stream === 'stderr' ? 4 : 1;
}

/** Whether the record goes on a line, given the state before it. */
export function isContinuation(open: OpenStreams, record: LogRecord): boolean {
  return (open & bit(record.stream)) !== 0;
}

/** The state after the record. */
export function afterRecord(open: OpenStreams, record: LogRecord): OpenStreams {
  return record.more ? open | bit(record.stream) : open & ~bit(record.stream);
}
