/** Days of the calendar as spans of time: none overlaps another, and none leaves a gap, also where clocks change. */

const DAY_MS = 86_400_000;

export interface Day {
  /** `2026-11-22` */
  readonly name: string;
  /** The day's first millisecond and the next one's, since the epoch. */
  readonly start: number;
  readonly end: number;
}

/** The day of a time, in local time or UTC. */
export function dayAt(at: number, utc: boolean): Day {
  const date = new Date(at);
  let day = utc ? utcDay(at) : localDay(date.getFullYear(), date.getMonth(), date.getDate());
  // Where a clock went back over midnight, the date was that of the day before once more: that hour is the later day's.
  while (at >= day.end) day = dayAfter(day, 1);
  return day;
}

/** @param name as `Day.name` */
export function dayNamed(name: string, utc: boolean): Day {
  const [year = 0, month = 1, date = 1] = name.split('-').map(Number);
  return utc ? utcDay(Date.UTC(year, month - 1, date)) : localDay(year, month - 1, date);
}

function utcDay(at: number): Day {
  const start = Math.floor(at / DAY_MS) * DAY_MS;
  return { name: new Date(start).toISOString().slice(0, 10), start, end: start + DAY_MS };
}

function dayAfter({ name }: Day, days: number): Day {
  const [year = 0, month = 1, date = 1] = name.split('-').map(Number);
  return localDay(year, month - 1, date + days);
}

/** A day may begin at one o'clock, or not be there at all: then it is empty. */
function localDay(year: number, month: number, date: number): Day {
  return {
    // Without a time zone, so that a date beyond the month's end is the right one, and one that was left out keeps its name.
    name: new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10),
    start: new Date(year, month, date).getTime(),
    end: new Date(year, month, date + 1).getTime(),
  };
}
