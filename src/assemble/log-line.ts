/** A line of the combined log: its pieces put together, its labels in words. */
import type { Level } from '../message/level.ts';
import type { StreamName } from '../message/record.ts';

const LF = 0x0a;

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

/** How many newlines a text of another tool holds. */
export function countNewlines(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(LF); at !== -1; at = text.indexOf(LF, at + 1)) count += 1;
  return count;
}

/** The line as text; bytes that are not UTF-8 become U+FFFD. */
export function lineText(line: LogLine): string {
  return line.bytes.toString('utf8');
}
