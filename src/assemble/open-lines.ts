/** Lines whose first piece has come and whose last has not: who follows the log waits for them. */
import type { Store } from '../store/store.ts';
import type { LogLine } from './log-line.ts';
import type { LineState, LongLine } from './long-line.ts';
import { UnreadableRow } from './unpack.ts';

/** So many lines of a feed may wait: of more, those that have waited longest are shown as they are. */
const MAX_LINES_OF_FEED = 64;
/** So much of all lines may wait: of more, the longest line is shown in parts. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface OpenLine {
  readonly key: string;
  /** All of the line but its bytes. */
  readonly line: LogLine;
  readonly longLine: LongLine;
}

export class OpenLines {
  /** By feed, then by line, in the order in which they came. */
  readonly #feeds = new Map<string, Map<string, OpenLine>>();

  /**
   * Holding a line again changes nothing.
   * @returns what cannot be kept waiting any more
   */
  hold(line: LogLine, longLine: LongLine): LogLine[] {
    const key = `${line.sequence} ${line.line}`;
    const lines = this.#feeds.get(line.feed) ?? new Map<string, OpenLine>();
    this.#feeds.set(line.feed, lines);
    lines.set(key, { key, line, longLine });
    const [oldest] = lines.values();
    const overdue = lines.size > MAX_LINES_OF_FEED && oldest !== undefined ? [this.#release(oldest)] : [];
    return [...overdue, ...this.#takeExcess()];
  }

  /** Reads on, and takes out the lines that are complete now. */
  takeEnded(store: Store, upToRow: number): LogLine[] {
    const ended: LogLine[] = [];
    for (const open of this.#all()) {
      const state = stateOf(open.longLine, store, upToRow);
      if (state === 'ended') ended.push(this.#release(open));
      if (state === 'full') ended.push(part(open));
      ended.push(...this.#takeExcess());
    }
    return ended;
  }

  /** Takes out all lines as they are, complete or not. */
  takeAll(): LogLine[] {
    return [...this.#all()].map((open) => this.#release(open));
  }

  *#all(): Generator<OpenLine, undefined> {
    for (const lines of this.#feeds.values()) yield* lines.values();
  }

  #release(open: OpenLine): LogLine {
    const lines = this.#feeds.get(open.line.feed);
    lines?.delete(open.key);
    if (lines?.size === 0) this.#feeds.delete(open.line.feed);
    return part(open);
  }

  #takeExcess(): LogLine[] {
    let bytes = 0;
    let longest: OpenLine | undefined;
    for (const open of this.#all()) {
      bytes += open.longLine.bytes;
      if (longest === undefined || open.longLine.bytes > longest.longLine.bytes) longest = open;
    }
    return bytes > MAX_WAITING_BYTES && longest !== undefined ? [part(longest)] : [];
  }
}

function part({ line, longLine }: OpenLine): LogLine {
  return { ...line, bytes: longLine.take() };
}

/** A line that cannot be read on has ended: its messages are damaged. */
function stateOf(longLine: LongLine, store: Store, upToRow: number): LineState {
  try {
    return longLine.read(store, upToRow);
  } catch (error) {
    if (error instanceof UnreadableRow) return 'ended';
    throw error;
  }
}
