/** The streams of messages that SSB's database has, with their options, read from the store. */
import type { SignedMessage } from '../../../message/signed.ts';
import type { MessageTimes, Receipt, StoredMessage } from '../../../store/message-log.ts';
import type { PullSource } from '../../ssb/types.ts';
import type { FeedLog } from './feed-log.ts';
import { pagedSource } from './paged-source.ts';
import { type Bounds, isWithin, receiptRange, sequenceRange } from './ranges.ts';

/** Messages of up to 24 KB (8192 UTF-16 units) that a stream holds at a time. */
const PAGE_MESSAGES = 128;
/** Times are a few bytes each. */
const PAGE_TIMES = 2048;

export interface StreamOptions extends Bounds {
  readonly live?: boolean | number;
  readonly old?: boolean;
  readonly sync?: boolean;
  readonly reverse?: boolean | number;
  readonly limit?: number;
  readonly keys?: boolean | number;
  readonly values?: boolean | number;
}

export interface HistoryOptions extends StreamOptions {
  readonly id: string;
  /** The first sequence that is wanted. */
  readonly sequence?: number;
  readonly seq?: number;
}

type Entry = SignedMessage & { readonly rts?: number };
type Source = PullSource<unknown>;

export class MessageStreams {
  readonly #feeds: FeedLog;

  constructor(feeds: FeedLog) {
    this.#feeds = feeds;
  }

  /** In the order in which they were received; `gt` and the others are such times. */
  byReceipt(options: StreamOptions, isWanted: (message: SignedMessage) => boolean = () => true): Source {
    const { log } = this.#feeds.store;
    const { after, before } = receiptRange(options);
    const reverse = Boolean(options.reverse);
    const maxId = log.lastId();
    let [low, high] = [after, before];
    let isOld = options.old !== false;
    let lastId = maxId;
    return this.#source(options, () => {
      if (isOld) {
        const rows = log.byReceipt({ after: low, before: high, maxId, reverse, limit: PAGE_MESSAGES });
        const last = rows.at(-1);
        if (last === undefined) isOld = false;
        else if (reverse) high = place(last);
        else low = place(last);
        return last === undefined ? undefined : rows.filter(isWanted);
      }
      const rows = log.afterId(lastId, PAGE_MESSAGES);
      lastId = rows.at(-1)?.id ?? lastId;
      return rows.length === 0 ? undefined : rows.filter((row) => isWithin(options, row.timestamp) && isWanted(row));
    });
  }

  /** All of one type. The store keeps no index of types: every message in the range is looked at. */
  byType(type: unknown, options: StreamOptions): Source {
    return this.byReceipt(options, ({ value }) => typeof type === 'string' && typeOf(value.content) === type);
  }

  /** In the order of the times that their authors gave them, none later than its receipt. */
  byClaimedTime(options: StreamOptions): Source {
    const { log } = this.#feeds.store;
    const maxId = log.lastId();
    const order: { id: number; time: number }[] = [];
    let collected = options.old === false ? maxId : 0;
    let isSorted = false;
    let isOld = options.old !== false;
    let next = 0;
    let lastId = maxId;
    return this.#source(options, () => {
      if (collected < maxId) {
        const times = log.times(collected, PAGE_TIMES);
        collected = times.at(-1)?.id ?? maxId;
        for (const entry of times) {
          const time = claimedTime(entry);
          if (entry.id <= maxId && isWithin(options, time)) order.push({ id: entry.id, time });
        }
        return [];
      }
      if (!isSorted) {
        isSorted = true;
        order.sort((one, other) => one.time - other.time || one.id - other.id);
        if (options.reverse) order.reverse();
      }
      if (isOld) {
        if (next === order.length) {
          isOld = false;
          return undefined;
        }
        const page = order.slice(next, next + PAGE_MESSAGES);
        next += page.length;
        return page.flatMap(({ id, time }) => {
          const message = log.byId(id);
          return message === undefined ? [] : [{ ...message, rts: time }];
        });
      }
      const rows = log.afterId(lastId, PAGE_MESSAGES);
      lastId = rows.at(-1)?.id ?? lastId;
      if (rows.length === 0) return undefined;
      const timed = rows.map((row) => ({ ...row, rts: claimedTime(timesOf(row)) }));
      return timed.filter(({ rts }) => isWithin(options, rts));
    });
  }

  /** One feed's messages, in its order; `gt` and the others are sequences. */
  ofFeed(feed: string, options: StreamOptions): Source {
    const { store } = this.#feeds;
    const reverse = Boolean(options.reverse);
    let { from, to } = sequenceRange(options);
    /** Where live messages begin, when the old ones are read from the end or not at all. */
    const liveFrom = () => Math.max(from, (store.log.head(feed)?.sequence ?? 0) + 1);
    let isForward = !reverse;
    let afterwards = liveFrom();
    if (options.old === false) [from, isForward] = [afterwards, true];
    return this.#source(options, () => {
      const rows = store.log.ofFeed({ feed, from, to, reverse: !isForward, limit: PAGE_MESSAGES });
      const last = rows.at(-1);
      if (last !== undefined) {
        if (isForward) from = last.value.sequence + 1;
        else to = last.value.sequence - 1;
        return rows;
      }
      if (!isForward) {
        ({ to } = sequenceRange(options));
        [from, isForward] = [afterwards, true];
        afterwards = from;
      }
      return undefined;
    });
  }

  /** The number of the last message that was stored, and again whenever there are more; -1 when there is none. */
  positions(): Source {
    let said: number | undefined;
    return pagedSource<number>({
      readPage: () => {
        const position = this.position();
        if (position === said) return undefined;
        said = position;
        return [position];
      },
      live: true,
      saySync: false,
      limit: Number.POSITIVE_INFINITY,
      onMore: (listener) => this.#feeds.onCommit(listener),
      isClosed: () => this.#feeds.isClosed,
    });
  }

  /** The number of the last message that was stored; -1 when there is none. */
  position(): number {
    return this.#feeds.store.log.lastId() || -1;
  }

  #source(options: StreamOptions, readPage: () => readonly Entry[] | undefined): Source {
    const show = format(options);
    const { limit = -1 } = options;
    const live = options.live === true || options.live === 1 || options.old === false;
    return pagedSource<unknown>({
      readPage: () => readPage()?.map(show),
      live,
      saySync: options.old !== false && options.sync !== false,
      limit: limit < 0 ? Number.POSITIVE_INFINITY : limit,
      onMore: (listener) => this.#feeds.onCommit(listener),
      isClosed: () => this.#feeds.isClosed,
    });
  }
}

function format({ keys = true, values = true }: StreamOptions): (entry: Entry) => unknown {
  if (keys && values)
    return ({ key, value, timestamp, rts }) =>
      rts === undefined ? { key, value, timestamp } : { key, value, timestamp, rts };
  if (keys) return ({ key }) => key;
  if (values) return ({ value }) => value;
  return () => null;
}

function typeOf(content: unknown): unknown {
  return (content as { type?: unknown } | null)?.type;
}

function place({ timestamp, id }: StoredMessage): Receipt {
  return [timestamp, id];
}

function timesOf({ id, timestamp, value }: StoredMessage): MessageTimes {
  return { id, received: timestamp, claimed: typeof value.timestamp === 'number' ? value.timestamp : null };
}

/** As ssb-db has it: a time that is missing, or later than the receipt, does not count. */
function claimedTime({ received, claimed }: MessageTimes): number {
  return claimed === null || claimed === 0 || received < claimed ? received : claimed;
}
