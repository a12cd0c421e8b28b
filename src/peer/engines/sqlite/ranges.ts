/** From the options that SSB's streams take (`gt`, `gte`, `lt`, `lte`) to bounds. Pure. */
import type { Receipt } from '../../../store/message-log.ts';

export interface Bounds {
  readonly gt?: unknown;
  readonly gte?: unknown;
  readonly lt?: unknown;
  readonly lte?: unknown;
}

const LOWEST = Number.MIN_SAFE_INTEGER;
const HIGHEST = Number.MAX_SAFE_INTEGER;

/** @returns the places between which (both excluded) messages of these times of receipt lie */
export function receiptRange({ gt, gte, lt, lte }: Bounds): { after: Receipt; before: Receipt } {
  return {
    after: isNumber(gte) ? [gte, LOWEST] : [isNumber(gt) ? gt : 0, HIGHEST],
    before: isNumber(lte) ? [lte, HIGHEST] : [isNumber(lt) ? lt : HIGHEST, LOWEST],
  };
}

/** @returns sequences, both included */
export function sequenceRange({ gt, gte, lt, lte }: Bounds): { from: number; to: number } {
  return {
    from: Math.max(1, isNumber(gte) ? Math.ceil(gte) : isNumber(gt) ? Math.floor(gt) + 1 : 1),
    to: isNumber(lte) ? Math.floor(lte) : isNumber(lt) ? Math.ceil(lt) - 1 : HIGHEST,
  };
}

/** Whether a time is within the bounds. */
export function isWithin({ gt, gte, lt, lte }: Bounds, time: number): boolean {
  return (
    !(isNumber(gte) ? time < gte : isNumber(gt) && time <= gt) &&
    !(isNumber(lte) ? time > lte : isNumber(lt) && time >= lt)
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}
