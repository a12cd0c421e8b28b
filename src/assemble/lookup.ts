/** What rows of the store refer to by number, in words. Remembers what it has read. */
import type { LabelRow, Store } from '../store/store.ts';

/** A feed's name, where it has one. */
export type NameOf = (feed: string) => string | undefined;

/** What all lines of a row have in common. */
export interface LineLabels {
  readonly feed: string;
  readonly source: string;
  readonly destination: string | undefined;
  readonly job: string | undefined;
  readonly run: string | undefined;
}

const UNKNOWN = '?';

/** `@`, and enough of a feed's key to tell it from others by eye. */
const SHORT_ID_CHARACTERS = 9;

/** Bounds the memory that feeds with ever new labels can take. */
const MAX_REMEMBERED = 10_000;

export class Lookup {
  readonly #store: Store;
  readonly #nameOf: NameOf;
  readonly #labels = new Map<string, LineLabels>();

  constructor(store: Store, nameOf: NameOf) {
    this.#store = store;
    this.#nameOf = nameOf;
  }

  labels({ series, run }: LabelRow): LineLabels {
    const key = `${series} ${run}`;
    let labels = this.#labels.get(key);
    if (labels === undefined) {
      labels = this.#read(series, run);
      if (this.#labels.size >= MAX_REMEMBERED) this.#labels.clear();
      this.#labels.set(key, labels);
    }
    return labels;
  }

  #read(seriesId: number, run: number | null): LineLabels {
    const series = this.#store.series(seriesId);
    const feed = series?.feed ?? UNKNOWN;
    return {
      feed,
      source: this.source(series?.source, feed),
      destination: series?.destination,
      job: series?.job,
      run: run === null ? undefined : this.#store.runText(run),
    };
  }

  /** What is shown as the source: the label, else the machine's name, else the beginning of its id. */
  source(label: string | undefined, feed: string): string {
    return label ?? this.#nameOf(feed) ?? feed.slice(0, SHORT_ID_CHARACTERS);
  }
}
