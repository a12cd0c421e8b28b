/**
 * Lines of the combined log, in its order. Where many of one message follow each other they are kept as a stretch of
 * it, so that who only passes them on need not make an object for each.
 */
import { RecordList } from '../message/record-list.ts';
import type { LogLine } from './log-line.ts';
import type { LineLabels } from './lookup.ts';

/** Lines of one message; each is a record, or the only one put together from several. */
export interface LogStretch {
  readonly labels: LineLabels;
  /** The number, in its feed, of the message that carried them. */
  readonly sequence: number;
  /** Whether records have numbers in their run. */
  readonly isNumbered: boolean;
  readonly records: RecordList;
  /** Which of the records: from the one to before the other. */
  readonly from: number;
  readonly to: number;
}

/** A single line, which may hold newlines, as a stretch. */
export function stretchOf(line: LogLine): LogStretch {
  const { at, bytes, level, stream, sequence } = line;
  const records = RecordList.alone({ line: line.line ?? 0, at, bytes, level, stream, more: false });
  return { labels: line, sequence, isNumbered: line.line !== undefined, records, from: 0, to: 1 };
}

/** @param index of the record, in its list */
export function lineAt({ labels, sequence, isNumbered, records }: LogStretch, index: number): LogLine {
  return {
    at: records.at(index),
    source: labels.source,
    destination: labels.destination,
    job: labels.job,
    run: labels.run,
    line: isNumbered ? records.line + index : undefined,
    level: records.level(index),
    stream: records.stream(index),
    bytes: records.text(index),
    feed: labels.feed,
    sequence,
  };
}

export class LogLines implements Iterable<LogLine> {
  readonly stretches: readonly LogStretch[];
  readonly length: number;

  constructor(stretches: readonly LogStretch[]) {
    this.stretches = stretches;
    this.length = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  static of(lines: readonly LogLine[]): LogLines {
    return new LogLines(lines.map(stretchOf));
  }

  *[Symbol.iterator](): Generator<LogLine, undefined> {
    for (const stretch of this.stretches)
      for (let index = stretch.from; index < stretch.to; index += 1) yield lineAt(stretch, index);
  }

  get first(): LogLine | undefined {
    const [stretch] = this.stretches;
    return stretch && lineAt(stretch, stretch.from);
  }

  get last(): LogLine | undefined {
    const stretch = this.stretches.at(-1);
    return stretch && lineAt(stretch, stretch.to - 1);
  }
}
