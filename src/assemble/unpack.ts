/** A row of labels to the records it stands for. */
import { SsblogError } from '../errors.ts';
import { decodeBlock } from '../message/block.ts';
import { type Content, type LogBlockContent, parseContent } from '../message/content.ts';
import { decodeLog } from '../message/log.ts';
import type { LogRecord } from '../message/record.ts';
import { afterRecord, isContinuation, NONE_OPEN } from '../store/line-state.ts';
import { type PackedValue, unpackValue } from '../store/packed-value.ts';
import type { LabelRow, Store } from '../store/store.ts';

/** A message that is not what the store took in: its file is damaged. One message less, not the end of reading. */
export class UnreadableRow extends Error {}

/** A record, and whether it goes on a line that an earlier one began. */
export type VisitRecord = (record: LogRecord, isContinuation: boolean) => boolean;

/**
 * Calls `visit` for the row's records in their order, until it returns false.
 * @throws UnreadableRow before the first call, if at all
 */
export function visitRecords(store: Store, row: LabelRow, visit: VisitRecord): void {
  const from = row.line ?? 0;
  let left = row.lines;
  let open = row.open;
  for (const record of recordsOf(row.value === null ? store.value(row.message) : { text: row.value, data: null })) {
    if (row.line !== null && record.line < from) continue;
    left -= 1;
    if (left < 0) return;
    const continues = open !== NONE_OPEN && isContinuation(open, record);
    if (continues || record.more || open !== NONE_OPEN) open = afterRecord(open, record);
    if (!visit(record, continues)) return;
  }
}

function recordsOf(packed: PackedValue | undefined): Iterable<LogRecord> {
  if (packed === undefined) throw new UnreadableRow('the message is missing');
  try {
    const value = unpackValue(packed);
    // The store has checked the content; of a block nothing is rewritten by that, and it takes long.
    const content = value.content as Content;
    if (content.type === 'log-block') return decodeBlock(content as LogBlockContent);
    const parsed = parseContent(content);
    if (parsed.kind === 'known' && parsed.content.type === 'log') return [decodeLog(parsed.content, value)];
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof SsblogError) throw new UnreadableRow(cause.message, { cause });
    throw cause;
  }
  throw new UnreadableRow('the message holds no lines');
}
