/** A row of labels to the records it stands for. */
import { SsblogError } from '../errors.ts';
import { freeMemory } from '../free-memory.ts';
import { decodeBlock } from '../message/block.ts';
import { type Content, type LogBlockContent, parseContent } from '../message/content.ts';
import { decodeLog } from '../message/log.ts';
import type { LogRecord } from '../message/record.ts';
import type { RecordList } from '../message/record-list.ts';
import { afterRecord, isContinuation, NONE_OPEN } from '../store/line-state.ts';
import { type PackedValue, unpackValue } from '../store/packed-value.ts';
import type { LabelRow, Store } from '../store/store.ts';

/** A message that is not what the store took in: its file is damaged. One message less, not the end of reading. */
export class UnreadableRow extends Error {}

/** A record, and whether it goes on a line that an earlier one began. */
export type VisitRecord = (record: LogRecord, isContinuation: boolean) => boolean;

/**
 * All records of a row's message.
 * @throws UnreadableRow
 */
export function unpackRow(store: Store, { value, message }: LabelRow): Iterable<LogRecord> {
  return recordsOf(value === null ? store.value(message) : { text: value, data: null });
}

/** Calls `visit` for the row's records among those of its message, in their order, until it returns false. */
export function visitRecords(row: LabelRow, records: Iterable<LogRecord>, visit: VisitRecord): void {
  const from = row.line ?? 0;
  let left = row.lines;
  let open = row.open;
  for (const record of records) {
    if (row.line !== null && record.line < from) continue;
    left -= 1;
    if (left < 0) return;
    const continues = open !== NONE_OPEN && isContinuation(open, record);
    if (continues || record.more || open !== NONE_OPEN) open = afterRecord(open, record);
    if (!visit(record, continues)) return;
  }
}

/** @returns where in the list the row's records begin, if each of them is a line of its own */
export function startOfLines({ line, lines, open }: LabelRow, records: RecordList): number | undefined {
  if (line === null || open !== NONE_OPEN) return undefined;
  const start = line - records.line;
  const isThere = start >= 0 && start + lines <= records.length;
  return isThere && !records.goesOnWithin(start, start + lines) ? start : undefined;
}

/** Uses it up. */
function recordsOf(packed: PackedValue | undefined): Iterable<LogRecord> {
  if (packed === undefined) throw new UnreadableRow('the message is missing');
  try {
    const { data } = packed;
    const value = unpackValue({ ...packed, data: null });
    // The store has checked the content; of a block nothing is rewritten by that, and it takes long.
    const content = value.content as Content;
    if (content.type === 'log-block') {
      const records = decodeBlock(content as LogBlockContent, data ?? undefined);
      if (data !== null) freeMemory(data);
      return records;
    }
    const parsed = parseContent(content);
    if (parsed.kind === 'known' && parsed.content.type === 'log') return [decodeLog(parsed.content, value)];
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof SsblogError) throw new UnreadableRow(cause.message, { cause });
    throw cause;
  }
  throw new UnreadableRow('the message holds no lines');
}
