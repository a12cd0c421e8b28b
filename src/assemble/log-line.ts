/** A line of the combined log: its pieces put together, its labels in words. */
import type { Level } from '../message/level.ts';
import type { StreamName } from '../message/record.ts';

export interface LogLine {
  /** When it was read: whole milliseconds since the epoch. */
  readonly at: number;
  /** Where it came from; where the message does not say, the machine's name. */
  readonly source: string;
  readonly destination: string | undefined;
  readonly job: string | undefined;
  readonly run: string | undefined;
  /** Its number in its run; of a long line its first piece's. Undefined: the message has none. */
  readonly line: number | undefined;
  readonly level: Level | undefined;
  readonly stream: StreamName | undefined;
  /** As they came. From tools other than ssblog they may hold newlines. */
  readonly bytes: Buffer;
  readonly feed: string;
  /** The number, in its feed, of the message that carried it (of a long line, its first piece). */
  readonly sequence: number;
}

/** The line as text; bytes that are not UTF-8 become U+FFFD. */
export function lineText(line: LogLine): string {
  return line.bytes.toString('utf8');
}
