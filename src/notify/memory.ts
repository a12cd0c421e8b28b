/**
 * What a notifier knows of the things that are bad, and what is to be told now: once an episode, again as configured,
 * not in quiet hours, and not while another machine is to do it. Pure: the clock is a parameter.
 */
import * as z from 'zod';
import { type Condition, type EventName, episodeOf, type Outlook, type Subject } from './condition.ts';

/** A thing that was bad when it was last looked at, or of which is still to be told that it is good again. */
export interface Entry extends Condition {
  /** When this machine first saw it so: milliseconds since the epoch, as all times here. */
  readonly noticedAt: number;
  /** When it was last told, by this machine or another one; null: not yet. */
  readonly toldAt: number | null;
  /** Whether anything of this thing was told since it was last good. */
  readonly wasTold: boolean;
  /** It could have been told before, but for the quiet hours or the limit. */
  readonly isHeld: boolean;
  /** How it is now is not known, or about to change: it is not told again. */
  readonly isOpen: boolean;
}

export type Entries = ReadonlyMap<string, Entry>;

export interface Rules {
  readonly now: number;
  readonly repeatMs: number | undefined;
  readonly isQuiet: boolean;
  /** How long others get, after it could be told, to do it first. */
  readonly waitMs: number;
  /** Nothing is told before: what others told may be on its way. */
  readonly notBefore: number;
  /** When an episode was told to the same person, by anybody whose word counts. */
  readonly toldByOthers: (episode: string) => number | undefined;
}

/** Lines that match are told once in so long, for each run, where no `repeat` is given. */
const MATCH_AGAIN_MS = 86_400_000;

/** Whoever invents jobs must not make the memory grow without an end: the rest waits until there is room. */
const MAX_ENTRIES = 2000;

/** Brings the memory up to date with how things are. */
export function update(
  entries: Entries,
  { bad, good, open }: Outlook,
  { now, toldByOthers, ...rules }: Rules,
): Entries {
  const next = new Map<string, Entry>();
  const keep = (entry: Entry) => {
    if (next.size >= MAX_ENTRIES) return;
    next.set(entry.key, withTold(notLater(entry, now), toldByOthers(entry.episode), now));
  };
  // Those that are known have their places first.
  for (const condition of [...bad].sort((a, b) => Number(entries.has(b.key)) - Number(entries.has(a.key)))) {
    const before = entries.get(condition.key);
    if (before?.episode === condition.episode) keep({ ...before, ...condition, isOpen: false });
    else keep(newEntry(condition, now, before));
  }
  for (const condition of good) {
    const before = entries.get(condition.key);
    if (before === undefined) continue;
    if (before.event === condition.event) {
      if (before.toldAt === null) keep(before);
    } else if (wasTold(before, toldByOthers))
      keep({ ...newEntry(goodEpisode(condition, before), now, before), wasTold: true });
  }
  for (const entry of entries.values()) {
    if (open.has(entry.key)) keep({ ...entry, isOpen: true });
    if (entry.event === 'match' && isMatchKept(entry, { now, ...rules })) keep(entry);
  }
  // Said by this machine or another one: that is all there was to say.
  for (const [key, { event, toldAt }] of next)
    if (toldAt !== null && (event === 'recovered' || event === 'heard')) next.delete(key);
  return next;
}

/** Lines that match have no state: they are remembered for a while, so that one run is not told line by line. */
export function addMatch(entries: Entries, condition: Condition, now: number): Entries {
  const before = entries.get(condition.key);
  if (before === undefined && entries.size >= MAX_ENTRIES) return entries;
  if (before !== undefined && before.toldAt !== null) return entries;
  const next = new Map(entries);
  next.set(condition.key, before === undefined ? newEntry(condition, now, undefined) : joined(before, condition));
  return next;
}

/** What is to be told now, the oldest first. */
export function dueEntries(entries: Entries, { now, repeatMs, waitMs, notBefore, isQuiet }: Rules): Entry[] {
  if (isQuiet || now < notBefore) return [];
  return [...entries.values()]
    .filter((entry) => {
      const since = dueSince(entry, repeatMs);
      return since !== undefined && now >= since + waitMs;
    })
    .sort((a, b) => a.noticedAt - b.noticedAt);
}

/** When something may have to be told next, if nothing changes; undefined: never. */
export function nextDeadline(
  entries: Entries,
  { repeatMs, waitMs }: Pick<Rules, 'repeatMs' | 'waitMs'>,
): number | undefined {
  const times = [...entries.values()].map((entry) => dueSince(entry, repeatMs)).filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times) + waitMs;
}

/** Notes what could have been told but for quiet hours or the limit: it will be told as one. */
export function hold(entries: Entries, rules: Rules): Entries {
  const held = new Set(dueEntries(entries, { ...rules, isQuiet: false }).map(({ key }) => key));
  return new Map([...entries].map(([key, entry]) => [key, held.has(key) ? { ...entry, isHeld: true } : entry]));
}

export function markTold(entries: Entries, told: readonly Entry[], now: number): Entries {
  const next = new Map(entries);
  for (const { key, episode } of told) {
    const entry = next.get(key);
    if (entry?.episode !== episode) continue; // it went on meanwhile
    if (entry.event === 'recovered' || entry.event === 'heard') next.delete(key);
    else next.set(key, { ...entry, toldAt: now, wasTold: true, isHeld: false });
  }
  return next;
}

function newEntry(condition: Condition, now: number, before: Entry | undefined): Entry {
  const wasTold = before !== undefined && (before.wasTold || before.toldAt !== null);
  return { ...condition, noticedAt: now, toldAt: null, wasTold, isHeld: false, isOpen: false };
}

/** A machine that is heard again has no run by which all would call that the same. */
function goodEpisode(condition: Condition, before: Entry): Condition {
  return condition.event === 'heard' ? { ...condition, episode: episodeOf('heard', before.episode) } : condition;
}

/** The clock was set back: what is dated in the future would wait for it. */
function notLater(entry: Entry, now: number): Entry {
  const { noticedAt, toldAt } = entry;
  return { ...entry, noticedAt: Math.min(noticedAt, now), toldAt: toldAt === null ? null : Math.min(toldAt, now) };
}

function withTold(entry: Entry, at: number | undefined, now: number): Entry {
  if (at === undefined) return entry;
  // A time in the future would put off every repetition for ever.
  const told = Math.max(at > now ? entry.noticedAt : at, entry.toldAt ?? 0);
  return { ...entry, toldAt: told, wasTold: true };
}

function wasTold({ toldAt, wasTold: before, episode }: Entry, toldByOthers: Rules['toldByOthers']): boolean {
  return toldAt !== null || before || toldByOthers(episode) !== undefined;
}

/** @returns undefined when nothing is to be told of it any more */
function dueSince({ event, noticedAt, toldAt, isOpen }: Entry, repeatMs: number | undefined): number | undefined {
  if (toldAt === null) return noticedAt;
  return repeatMs === undefined || event === 'match' || isOpen ? undefined : toldAt + repeatMs;
}

function isMatchKept({ toldAt }: Entry, { now, repeatMs }: Pick<Rules, 'now' | 'repeatMs'>): boolean {
  return toldAt === null || now < toldAt + (repeatMs ?? MATCH_AGAIN_MS);
}

const MAX_MATCHED_LINES = 10;

function joined(before: Entry, { subject }: Condition): Entry {
  const lines = [...(before.subject.lines ?? []), ...(subject.lines ?? [])];
  const more =
    (before.subject.moreLines ?? 0) + (subject.moreLines ?? 0) + Math.max(0, lines.length - MAX_MATCHED_LINES);
  return { ...before, subject: { ...before.subject, lines: lines.slice(0, MAX_MATCHED_LINES), moreLines: more } };
}

const text = z.string().optional();
const number = z.number().optional();
const subjectSchema: z.ZodType<Subject> = z.object({
  machine: z.object({ id: z.string(), name: z.string() }),
  ...{ job: text, source: text, destination: text, run: text, signal: text, reason: text },
  ...{ started: number, ended: number, exit: number, due: number, heardAt: number, moreLines: number },
  lines: z.array(z.string()).optional(),
});

/** As it is kept on the disk. */
export const entrySchema: z.ZodType<Entry> = z.object({
  key: z.string(),
  episode: z.string(),
  event: z.enum(['failed', 'missing', 'stuck', 'recovered', 'match', 'silent', 'heard'] satisfies EventName[]),
  subject: subjectSchema,
  noticedAt: z.number(),
  toldAt: z.number().nullable(),
  wasTold: z.boolean(),
  isHeld: z.boolean(),
  isOpen: z.boolean(),
});
