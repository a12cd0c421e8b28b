/** The last N lines, without keeping in memory more of them than is reasonable. */
import type { Store } from '../store/store.ts';
import { comparePositions, positionOf } from './cursor.ts';
import type { LogFilter } from './filters.ts';
import { type BatchOptions, lineBatches } from './line-batches.ts';
import type { LogLine } from './log-line.ts';
import { LogLines } from './log-lines.ts';

/** More lines than these are not kept: once their beginning is found, they are read again from there. */
const MAX_KEPT_LINES = 10_000;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Batches may be empty. Lines come in the order of the log. */
export function* lastLineBatches(
  store: Store,
  filter: LogFilter,
  { limit, ...options }: BatchOptions & { limit: number },
): Generator<LogLines, undefined> {
  if (limit <= 0) return;
  let kept: LogLine[] | undefined = [];
  let keptBytes = 0;
  let count = 0;
  let first: LogLine | undefined;
  for (const batch of lineBatches(store, filter, { ...options, maxLines: limit, reverse: true })) {
    const lines = [...batch].slice(0, limit - count);
    count += lines.length;
    first = lines.at(-1) ?? first;
    for (const { bytes } of lines) keptBytes += bytes.length;
    if (count > MAX_KEPT_LINES || keptBytes > MAX_KEPT_BYTES) kept = undefined;
    // Copied, because a line's bytes keep all of its message.
    kept?.push(...lines.map((line) => ({ ...line, bytes: Buffer.from(line.bytes) })));
    if (count >= limit) break;
    yield LogLines.of([]);
  }
  if (first === undefined) return;
  if (kept !== undefined) {
    yield LogLines.of(kept.reverse());
    return;
  }
  const start = positionOf(first);
  const since = Math.max(start.at, filter.since ?? start.at);
  let hasBegun = false;
  for (const batch of lineBatches(store, { ...filter, since }, { ...options, reverse: false })) {
    if (hasBegun) {
      yield batch;
      continue;
    }
    const lines = LogLines.of([...batch].filter((line) => comparePositions(positionOf(line), start) >= 0));
    hasBegun = lines.length > 0;
    yield lines;
  }
}
