/** The end of a run's output. */
import { readLines } from '../assemble/lines.ts';
import type { Store } from '../store/store.ts';

/** A line of megabytes would be all that is seen. */
const MAX_LINE_UNITS = 500;

/**
 * @param limit at most so many lines
 * @returns texts as they came, control characters and all
 */
export async function lastOutput(
  store: Store,
  { feed, run }: { readonly feed: string; readonly run: string },
  limit: number,
): Promise<string[]> {
  const texts: string[] = [];
  for await (const batch of readLines(store, { feeds: [feed], runs: [run] }, { limit }))
    for (const { bytes } of batch) texts.push(shorten(bytes.toString('utf8')));
  return texts;
}

function shorten(text: string): string {
  return text.length <= MAX_LINE_UNITS ? text : `${text.slice(0, MAX_LINE_UNITS)}…`;
}
