/** Finds the messages in the pages of a damaged store, whatever has become of everything else in it. */
import type { SignedMessage, SignedValue } from '../../message/signed.ts';
import { unpackValue } from '../packed-value.ts';
import { openRaw } from './file.ts';
import { countRows, type RawRow, type RawValue, readRow } from './record.ts';

/** A message as it was found: nothing says yet that it is whole. */
export interface FoundMessage extends SignedMessage {
  /** `messages.id`: grows in the order in which messages were stored. */
  readonly row: number;
  readonly place: Place;
}

interface Place {
  readonly page: number;
  readonly index: number;
}

export interface MessageScan {
  readonly pages: number;
  /** Every message there is, page by page; undefined after each page, for who counts them. */
  all(): Generator<FoundMessage | undefined, void>;
  /** Once more, at a place that `all` gave. */
  at(place: Place): FoundMessage | undefined;
  close(): void;
}

/** @throws a system error when the file cannot be read */
export function scanMessages(file: string): MessageScan {
  const raw = openRaw(file);
  let last: { number: number; page: Buffer } | undefined;
  const pageAt = (number: number): Buffer | undefined => {
    if (last?.number === number) return last.page;
    const page = raw.page(number);
    if (page !== undefined) last = { number, page };
    return page;
  };
  const at = (place: Place): FoundMessage | undefined => {
    const page = pageAt(place.page);
    const row = page && readRow(raw, page, place.page, place.index);
    return row && messageOf(row, place);
  };
  return {
    pages: raw.pages,
    *all() {
      for (let number = 1; number <= raw.pages; number++) {
        const page = pageAt(number);
        const rows = page === undefined ? 0 : countRows(page, number);
        for (let index = 0; index < rows; index++) {
          const message = at({ page: number, index });
          if (message !== undefined) yield message;
        }
        yield undefined;
      }
    },
    at,
    close: () => raw.close(),
  };
}

/** Without `data`, as rows of older versions of the schema are, and with it. */
const COLUMN_COUNTS = [6, 7];

/** The columns of `messages` (schema.ts); the first is the row's id, which stands elsewhere. */
function messageOf({ rowId, values }: RawRow, place: Place): FoundMessage | undefined {
  const [, , sequence, key, timestamp, text, data = null] = values;
  if (!COLUMN_COUNTS.includes(values.length) || typeof key !== 'string' || typeof timestamp !== 'number')
    return undefined;
  const value = parse(text, data);
  if (value === undefined || value.sequence !== sequence || typeof value.author !== 'string') return undefined;
  return { key, value, timestamp, row: rowId, place };
}

function parse(text: RawValue | undefined, data: RawValue): SignedValue | undefined {
  if (typeof text !== 'string' || typeof data === 'string' || typeof data === 'number') return undefined;
  try {
    const value: unknown = unpackValue({ text, data });
    return typeof value === 'object' && value !== null ? (value as SignedValue) : undefined;
  } catch {
    return undefined; // damaged: it counts as not found
  }
}
