/** What `status`, `doctor` and the journal say of messages that are not taken; see room.ts. */
import type { Pause } from './room.ts';

const GB = 1e9;
const HOUR_MS = 3_600_000;

/** @param nameOf a machine's name */
export function describePause(
  pause: Pause,
  nameOf: (id: string) => string,
  nowMs: number = Date.now(),
): { id: string | null; message: string; hint: string } {
  if (pause.reason === 'disk') {
    return {
      id: null,
      message: `nothing of other machines is taken: ${inGb(pause.freeBytes)} are free on the disk, the rest is for the lines of this one`,
      hint: `free some space: it goes on by itself when ${inGb(pause.neededBytes)} are free`,
    };
  }
  const { feed, tookBytes, untilMs } = pause;
  const name = nameOf(feed);
  const hours = Math.max(1, Math.ceil((untilMs - nowMs) / HOUR_MS));
  return {
    id: feed,
    message: `nothing more of ${name} is taken: ${inGb(tookBytes)} came in a day, more than half of the free disk`,
    hint: `it goes on in ${hours} ${hours === 1 ? 'hour' : 'hours'}, or with more space; where that is no log: ssblog unfollow ${name}`,
  };
}

/** @returns says in the journal what changed: what is paused from now on, and that nothing is any more */
export function tellOfPauses(
  notice: (text: string) => void,
  nameOf: (id: string) => string,
): (pauses: readonly Pause[]) => void {
  let told = new Set<string>();
  return (pauses) => {
    const now = new Set<string>();
    for (const pause of pauses) {
      const what = pause.reason === 'share' ? pause.feed : pause.reason;
      now.add(what);
      if (!told.has(what)) notice(describePause(pause, nameOf).message);
    }
    if (now.size === 0 && told.size > 0) notice('everything of other machines is taken again');
    told = now;
  };
}

function inGb(bytes: number): string {
  return bytes < GB / 10 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / GB).toFixed(1)} GB`;
}
