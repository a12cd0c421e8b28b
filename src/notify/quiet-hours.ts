/** Hours in which nobody is to be woken, in local time. Pure: the clock is a parameter. */

const MINUTES_A_DAY = 24 * 60;

/**
 * Whether a moment lies in the quiet hours. What the clocks on the wall say counts: in the night in which they are
 * changed, quiet hours are an hour shorter or longer.
 * @param quiet `22:00-07:00`, which goes over midnight, or `12:00-14:00`; two equal times are none at all
 * @param now milliseconds since the epoch
 */
export function isQuiet(quiet: string | undefined, now: number): boolean {
  if (quiet === undefined) return false;
  const [from = 0, to = 0] = quiet.split('-').map(minutesOf);
  const date = new Date(now);
  const minute = date.getHours() * 60 + date.getMinutes();
  const sinceBegin = (minute - from + MINUTES_A_DAY) % MINUTES_A_DAY;
  return sinceBegin < (to - from + MINUTES_A_DAY) % MINUTES_A_DAY;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
