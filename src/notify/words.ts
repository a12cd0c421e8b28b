/** What is told, in words and as JSON. Texts of other machines are cleaned and cut here, for all channels. */
import { failureOf } from '../jobs/explain.ts';
import type { EventName, Subject } from './condition.ts';

/** What is sent: to a program as JSON, to a person as title and text. */
export interface Notice {
  /** `several` when more than one thing is told. */
  readonly event: EventName | 'several' | 'test';
  readonly title: string;
  readonly text: string;
  readonly to: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** The machine that tells. */
  readonly by: { readonly id: string; readonly name: string };
  readonly events: readonly ToldEvent[];
}

interface ToldEvent {
  readonly event: EventName;
  readonly title: string;
  /** Whether it was told before, and goes on. */
  readonly isRepeated: boolean;
  readonly machine: string;
  readonly machineId: string;
  readonly job: string | null;
  readonly source: string | null;
  readonly destination: string | null;
  readonly run: string | null;
  /** Times in ISO 8601. */
  readonly started: string | null;
  readonly ended: string | null;
  readonly due: string | null;
  readonly heardAt: string | null;
  readonly exit: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** The end of its output, or the lines that matched. */
  readonly lines: readonly string[];
}

export interface Told {
  readonly event: EventName;
  readonly subject: Subject;
  readonly toldAt: number | null;
  /** The end of the run's output. */
  readonly tail: readonly string[];
}

const MAX_LABEL_UNITS = 80;
const MAX_LINE_UNITS = 300;
const MAX_TITLE_UNITS = 240;
const MAX_LINES = 20;
/** ntfy takes 4096 bytes, others more: this is what a person reads. */
const MAX_TEXT_UNITS = 3000;
/** Of several things so many are named. */
const MAX_EVENTS = 50;

/** What could drive a terminal or begin a line of a header, halves of characters, and what turns the direction. */
const CONTROLS = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** One line of plain text, not longer than `max`. */
export function cleanLine(text: string, max = MAX_LINE_UNITS): string {
  const line = text
    .slice(0, 4 * max)
    .replace(CONTROLS, ' ')
    .trim();
  return line.length <= max ? line : `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

export function noticeOf(
  told: readonly Told[],
  { to, by, now }: { to: string | undefined; by: Notice['by']; now: number },
): Notice {
  const events = told.slice(0, MAX_EVENTS).map(toldEvent);
  const [first] = events;
  const about = { to: to ?? null, at: new Date(now).toISOString(), by: { id: by.id, name: cleanLine(by.name) } };
  if (told.length === 1 && first !== undefined)
    return { event: first.event, title: first.title, text: textOf(first), ...about, events };
  const titles = events.map(({ title }) => `- ${title}`);
  if (told.length > events.length) titles.push(`- and ${told.length - events.length} more`);
  const wrong = told.filter(({ event }) => event !== 'recovered' && event !== 'heard').length;
  const title =
    wrong === 0
      ? `${told.length} things are well again`
      : `${wrong} ${wrong === 1 ? 'thing needs' : 'things need'} a look`;
  return { event: 'several', title, text: cut(titles.join('\n')), ...about, events };
}

export function testNotice({ to, by, now }: { to: string | undefined; by: Notice['by']; now: number }): Notice {
  const at = new Date(now).toISOString();
  const title = `ssblog on ${cleanLine(by.name, MAX_LABEL_UNITS)} can reach you`;
  const text = `This is a test, sent at ${localTime(now)}. Nothing is wrong.`;
  return { event: 'test', title, text, to: to ?? null, at, by, events: [] };
}

function toldEvent({ event, subject, toldAt, tail }: Told): ToldEvent {
  const lines = (subject.lines ?? tail).slice(-MAX_LINES).map((line) => cleanLine(line));
  const { exit, moreLines = 0 } = subject;
  if (moreLines > 0) lines.push(`… and ${moreLines} more`);
  return {
    event,
    title: titleOf(event, subject),
    isRepeated: toldAt !== null,
    machine: label(subject.machine.name),
    machineId: subject.machine.id,
    job: labelOrNull(subject.job),
    source: labelOrNull(subject.source),
    destination: labelOrNull(subject.destination),
    run: labelOrNull(subject.run),
    started: isoTime(subject.started),
    ended: isoTime(subject.ended),
    due: isoTime(subject.due),
    heardAt: isoTime(subject.heardAt),
    exit: exit ?? null,
    signal: labelOrNull(subject.signal),
    reason: subject.reason === undefined ? null : cleanLine(subject.reason),
    lines,
  };
}

function titleOf(event: EventName, subject: Subject): string {
  const machine = label(subject.machine.name);
  const thing = subject.job === undefined ? machine : `${label(subject.job)} on ${machine}`;
  switch (event) {
    case 'failed':
      return cleanLine(`${thing} ${failureOf(ofRun(subject))}`, MAX_TITLE_UNITS);
    case 'missing':
      return `${thing} did not run${subject.due === undefined ? '' : `: it was due ${localTime(subject.due)}`}`;
    case 'stuck':
      return `${thing} is stuck${subject.started === undefined ? '' : ` since ${localTime(subject.started)}`}`;
    case 'recovered':
      return `${thing} is well again`;
    case 'match':
      return `${thing}: ${cleanLine(subject.lines?.[0] ?? 'a line matches', MAX_LABEL_UNITS)}`;
    case 'silent':
      return `${machine} is silent${subject.heardAt === undefined ? '' : ` since ${localTime(subject.heardAt)}`}`;
    case 'heard':
      return `${machine} is heard again`;
  }
}

function ofRun({ exit, signal, reason }: Subject) {
  return { exit: exit ?? null, signal: signal ?? null, reason: reason ?? null };
}

function textOf({ isRepeated, event, machine, source, destination, run, started, lines }: ToldEvent): string {
  const from = source !== null && source !== machine ? `from ${source}` : undefined;
  const way = [from, destination === null ? undefined : `to ${destination}`].filter((part) => part !== undefined);
  const details = [
    isRepeated ? 'It is still so.' : undefined,
    way.length > 0 ? way.join(' ') : undefined,
    started === null || event === 'silent' ? undefined : `last run ${localTime(Date.parse(started))}`,
    run === null || event === 'silent' ? undefined : `ssblog log --run ${run}`,
  ].filter((detail) => detail !== undefined);
  return cut([...details, ...(details.length > 0 && lines.length > 0 ? [''] : []), ...lines].join('\n'));
}

/** The end of an output says more than its beginning. */
function cut(text: string): string {
  if (text.length <= MAX_TEXT_UNITS) return text;
  return `${text.slice(0, 400)}\n…\n${text.slice(400 - MAX_TEXT_UNITS).replace(/^[\udc00-\udfff]/, '')}`.replace(
    /[\ud800-\udbff](?=\n…)/,
    '',
  );
}

function label(text: string): string {
  return cleanLine(text, MAX_LABEL_UNITS);
}

function labelOrNull(text: string | undefined): string | null {
  return text === undefined ? null : label(text);
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function localTime(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
