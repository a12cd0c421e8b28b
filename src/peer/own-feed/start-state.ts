/** What a machine has to think of its own feed as it opens it, before it has heard from anybody. */
import type { HighWaterMark } from './high-water-mark.ts';
import type { Hold, HoldReason, OwnFeedState } from './state-file.ts';

export interface Found {
  readonly state: OwnFeedState;
  /** Where the record is (the engine's name and the file's place), and which start of the computer this is. */
  readonly place: string | undefined;
  readonly boot: string;
  /** Sequence of the last message of the own feed; 0 for none. */
  readonly head: number;
  /** Id of the own message that the mark names; undefined when there is none. */
  readonly keyAtMark: string | undefined;
  readonly mark: HighWaterMark | undefined;
  /** Others may hold something of this feed: it knows other machines, or they know it. */
  readonly hasOthers: boolean;
  /** Written without having heard from others, because the user says so. */
  readonly noCatchUp: boolean;
  readonly nowMs: number;
}

/** @returns the state to start with, as it is to be kept while the record is open */
export function startState(found: Found): OwnFeedState {
  const { state, place, boot } = found;
  const { hold: before, ...rest } = state;
  const opened = { ...rest, ...(place !== undefined && { place }), boot, isClosed: false };
  const hold = found.noCatchUp || isForNobody(found) ? undefined : (before ?? newHold(found));
  return hold === undefined ? opened : { ...opened, hold };
}

/** Nobody can have more of a feed that no other machine has ever seen. */
function isForNobody({ state, hasOthers }: Found): boolean {
  return state.hold?.reason === 'salvaged' && !state.isKnown && !hasOthers;
}

function newHold(found: Found): Hold | undefined {
  const { state, mark, head, keyAtMark } = found;
  const hold = (reason: HoldReason, detail: string, atLeast = head): Hold => ({
    reason,
    sinceMs: found.nowMs,
    atLeast,
    detail,
  });
  if (mark !== undefined && mark.sequence > head) {
    return hold('mark', `it had ${mark.sequence} messages, here are ${head}`, mark.sequence);
  }
  if (mark !== undefined && keyAtMark !== undefined && keyAtMark !== mark.key) {
    return hold('forked', `message ${mark.sequence} was another one in ${mark.dir}`);
  }
  if (!state.isKnown && !found.hasOthers) return undefined;
  if (isOther(state.place, found.place)) return hold('copied', `it ends at message ${head}`);
  if (!state.isClosed && state.boot !== undefined && state.boot !== found.boot)
    return hold('crash', `it ends at message ${head}`);
  return undefined;
}

/** Places of different engines say nothing of each other: the one has taken the feeds over from the other. */
function isOther(before: string | undefined, now: string | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return before !== now && before.split(':', 1)[0] === now.split(':', 1)[0];
}
