/** What a reader must show, worked out from the records in the plainest way: all in memory, sorted at the end. */
import type { LogRecord, RunLabels } from '../../../src/message/record.ts';

export interface ExpectedLine {
  readonly at: number;
  readonly feed: string;
  readonly run: string;
  readonly line: number;
  readonly source: string;
  readonly text: string;
}

/** @param run all records of a run in one feed, in their order */
export function expectedLines(feed: string, labels: RunLabels, run: readonly LogRecord[]): ExpectedLine[] {
  const lines: ExpectedLine[] = [];
  run.forEach((record, index) => {
    const before = run.slice(0, index).findLast(({ stream }) => stream === record.stream);
    if (before?.more) return;
    const rest = run.slice(index + 1).filter(({ stream }) => stream === record.stream);
    const pieces = [record];
    while (pieces.at(-1)?.more && rest.length > 0) pieces.push(rest.shift() as LogRecord);
    const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString('latin1');
    lines.push({ at: record.at, feed, run: labels.run, line: record.line, source: labels.source, text });
  });
  return lines;
}

export function sorted(lines: readonly ExpectedLine[]): ExpectedLine[] {
  const order = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
  return lines.toSorted((a, b) => a.at - b.at || order(a.feed, b.feed) || order(a.run, b.run) || a.line - b.line);
}
