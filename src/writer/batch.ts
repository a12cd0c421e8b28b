/** What goes to the daemon in one call. Many small contents in one cost it one commit; few large ones, little memory. */
import type { Content } from '../message/content.ts';
import { MAX_MESSAGE_UNITS } from '../message/limits.ts';

const MAX_CONTENTS = 256;
/** So many full messages. */
const MAX_UNITS = 64 * MAX_MESSAGE_UNITS;

/** Contents in their order. */
export class Batch {
  readonly contents: Content[] = [];
  #units = 0;

  /** Whether one more would be too many; never of an empty one. */
  isFullFor(content: Content): boolean {
    const { length } = this.contents;
    return length === MAX_CONTENTS || (length > 0 && this.#units + unitsOf(content) > MAX_UNITS);
  }

  add(content: Content): void {
    this.contents.push(content);
    this.#units += unitsOf(content);
  }
}

/** About how large a content is: what lines say is nearly all of it, where it is large. */
function unitsOf(content: Content): number {
  if (content.type === 'log-block') return content.data.length;
  return content.type === 'log' ? content.text.length + (content.raw?.length ?? 0) : 0;
}
