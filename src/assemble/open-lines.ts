/** Lines whose first piece has come and whose last has not: who follows the log waits for them. */
import type { Store } from '../store/store.ts';
import type { LogLine } from './log-line.ts';
import type { LongLine } from './long-line.ts';

interface OpenLine {
  /** All of the line but its bytes. */
  readonly line: LogLine;
  readonly longLine: LongLine;
}

export class OpenLines {
  readonly #lines = new Map<string, OpenLine>();

  /** Holding a line again changes nothing. */
  hold(line: LogLine, longLine: LongLine): void {
    this.#lines.set(`${line.feed} ${line.sequence} ${line.line}`, { line, longLine });
  }

  /** Reads on, and takes out the lines that are complete now. */
  takeEnded(store: Store, upToRow: number): LogLine[] {
    const ended: LogLine[] = [];
    for (const [key, { line, longLine }] of this.#lines) {
      const state = longLine.read(store, upToRow);
      if (state !== 'unfinished') ended.push({ ...line, bytes: longLine.take() });
      if (state === 'ended') this.#lines.delete(key);
    }
    return ended;
  }

  /** Takes out all lines as they are, complete or not. */
  takeAll(): LogLine[] {
    const lines = [...this.#lines.values()].map(({ line, longLine }) => ({ ...line, bytes: longLine.take() }));
    this.#lines.clear();
    return lines;
  }
}
