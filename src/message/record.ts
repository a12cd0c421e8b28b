/** A record: one line of a run, or a piece of a line that is too long for one message. */
import type { Level } from './level.ts';

export type StreamName = 'stdout' | 'stderr';

export interface LogRecord {
  /** The record's number within its run, from 1, without gaps. */
  readonly line: number;
  /** When it was read: whole milliseconds since the epoch; never goes back within a run. */
  readonly at: number;
  /** The bytes as they came, without the newline that ended them. */
  readonly bytes: Buffer;
  readonly level: Level | undefined;
  readonly stream: StreamName | undefined;
  /** The line goes on in the next record. */
  readonly more: boolean;
}

/** What all messages of a run say about it. Absent labels are absent, never empty. */
export interface RunLabels {
  readonly run: string;
  readonly source: string;
  readonly destination?: string;
  readonly job?: string;
}
