/** Points in time as they are typed after `--since` and `--until`. */
import { isValid } from 'date-fns/isValid';
import { parseISO } from 'date-fns/parseISO';
import { startOfDay } from 'date-fns/startOfDay';
import { subDays } from 'date-fns/subDays';
import { parseDuration } from '../config/duration.ts';
import { SsblogError } from '../errors.ts';
import { MAX_TIME_MS } from '../message/limits.ts';

/**
 * `2026-11-22`, `2026-11-22 03:00`, ISO 8601 with or without a zone, `now`, `today`, `yesterday`, or a
 * duration before now (`2h`). A day alone means its start, in local time.
 * @returns milliseconds since the epoch
 * @throws SsblogError `usage`
 */
export function parseTime(flag: string, text: string, now: number): number {
  const word = text.trim().toLowerCase();
  if (word === 'now') return now;
  if (word === 'today') return startOfDay(now).getTime();
  if (word === 'yesterday') return startOfDay(subDays(now, 1)).getTime();
  const ago = parseDuration(word.replace(/ ago$/, ''));
  if (ago !== undefined) return now - ago;
  const date = parseISO(text.trim());
  if (isValid(date)) return date.getTime();
  throw new SsblogError('usage', `${flag}: "${text}" is no point in time`, {
    hint: 'give an ISO 8601 time, a day (2026-11-22), today, yesterday, or a time ago (2h, 3d)',
  });
}

/**
 * A time to come: `2h` (from now), or what `parseTime` takes.
 * @returns milliseconds since the epoch
 * @throws SsblogError `usage`, also when it has passed
 */
export function parseFutureTime(flag: string, text: string, now: number): number {
  const inMs = parseDuration(text.trim().toLowerCase());
  const time = inMs === undefined ? parseTime(flag, text, now) : now + inMs;
  if (time > now && time <= MAX_TIME_MS) return time;
  if (time > now) throw new SsblogError('usage', `${flag}: "${text}" is after the year 9999`);
  throw new SsblogError('usage', `${flag}: "${text}" is not in the future`, {
    hint: 'give a time to come (2026-12-24 06:00) or how long from now (2h, 3d)',
  });
}
