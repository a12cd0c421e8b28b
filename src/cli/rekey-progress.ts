/** How far a change of the network key has come, as this machine knows it. */
import type { MachineAccess } from '../peer/open-control.ts';
import { readRekey } from '../peer/rekey/state-file.ts';
import type { Store } from '../store/store.ts';

interface Named {
  readonly id: string;
  readonly name: string | null;
}

export interface RekeyProgress {
  /** When the current key was made: milliseconds since the epoch; null: it was never changed. */
  readonly changedMs: number | null;
  /** Who made it. */
  readonly by: Named | null;
  /** Until when older keys are accepted; null: none is. */
  readonly oldUntilMs: number | null;
  /** Followed machines that were connected here under the new key. */
  readonly confirmed: readonly (Named & { readonly atMs: number })[];
  /** Those that were not. */
  readonly waiting: readonly Named[];
  readonly shutOut: readonly Named[];
}

export function rekeyProgress({ paths, identity }: MachineAccess, store: Store): RekeyProgress {
  const state = readRekey(paths);
  const names = store.names(identity.id);
  const named = (id: string): Named => ({ id, name: names.get(id) ?? null });
  if (state === undefined || state.at === 0)
    return { changedMs: null, by: null, oldUntilMs: null, confirmed: [], waiting: [], shutOut: [] };
  const { confirmed, shutOut, origin, at, old } = state;
  const followed = store
    .contacts()
    .flatMap(({ from, to, following }) => (from === identity.id && to !== identity.id && following ? [to] : []));
  const ends = old.map(({ untilMs }) => untilMs).filter((untilMs) => untilMs > Date.now());
  return {
    changedMs: at,
    by: origin === '' ? null : named(origin),
    oldUntilMs: ends.length === 0 ? null : Math.max(...ends),
    confirmed: Object.entries(confirmed).map(([id, atMs]) => ({ ...named(id), atMs })),
    waiting: followed.filter((id) => confirmed[id] === undefined && !shutOut.includes(id)).map(named),
    shutOut: shutOut.map(named),
  };
}
