/** How far machines are from each other along follows. Pure. */
import type { Contact } from './feed-query.ts';

/**
 * Hops from `self` to each feed that it reaches: 0 itself, 1 those it follows, 2 those they follow …
 * Whom `self` blocks is left out and passes nothing on.
 * @param max how many hops count at most
 */
export function hopsFrom(self: string, contacts: readonly Contact[], max: number): Map<string, number> {
  const followed = new Map<string, string[]>();
  const blocked = new Set<string>();
  for (const { from, to, following, blocking } of contacts) {
    if (blocking && from === self) blocked.add(to);
    if (!following) continue;
    const list = followed.get(from);
    if (list === undefined) followed.set(from, [to]);
    else list.push(to);
  }
  const hops = new Map([[self, 0]]);
  // A map iterates over what is added on the way: this walks in the order of hops.
  for (const [feed, distance] of hops) {
    if (distance >= max) continue;
    for (const next of followed.get(feed) ?? []) {
      if (!hops.has(next) && !blocked.has(next)) hops.set(next, distance + 1);
    }
  }
  return hops;
}
