/** The words that can state a level, and a fast way to find them in bytes. */
import type { Level } from '../message/level.ts';

/** What a program calls a panic is no syslog emergency: hence a list of its own beside the aliases of `--level`. */
const LEVEL_WORDS: ReadonlyMap<string, Level> = new Map(
  Object.entries<Level>({
    emerg: 'emerg',
    emergency: 'emerg',
    alert: 'alert',
    crit: 'crit',
    critical: 'crit',
    fatal: 'crit',
    panic: 'crit',
    err: 'err',
    error: 'err',
    warn: 'warning',
    warning: 'warning',
    notice: 'notice',
    info: 'info',
    debug: 'debug',
    trace: 'debug',
  }),
);

/** Keys whose value is a level, in JSON and `key=value` lines; `message_type` is restic's, `levelname` is borg's. */
const LEVEL_KEYS = ['level', 'lvl', 'loglevel', 'levelname', 'severity', 'message_type'];

interface KnownWord {
  /** Its bytes, as `fold` makes them. */
  readonly folded: readonly number[];
  readonly level: Level | undefined;
}

/** A line in bytes that hold more than it, and where its words are looked for. */
export interface Line {
  readonly start: number;
  readonly end: number;
  /** From this byte on, before the other. */
  readonly from: number;
  readonly scanEnd: number;
}

export interface Word {
  readonly line: Line;
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
  /** The level that it names; undefined for a key. */
  readonly level: Level | undefined;
}

/** 1 for what words are made of: letters, digits, `_`, and all that is not ASCII. */
const IS_WORD_BYTE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte > 0x7f || /\w/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** For each two bytes: at which places in one of the words they can stand. Bits 1, 2, 4: from its 1st, 2nd, 3rd letter. */
const PLACES = placesOfPairs();

/** Words with the same first three letters. */
const GROUPS = groupsOfWords();
/** By what `beginningAt` makes of three letters: the group of words that may begin with them, and 1; 0 for none. */
const GROUP_NUMBERS = groupNumbers();

/**
 * The words there, in any case and in their order, with `visit`'s first answer. Looks at two bytes in every three: the
 * first three letters of a word cannot all be stepped over. A walk byte by byte took twice as long.
 */
export function findWord(bytes: Buffer, line: Line, visit: (bytes: Buffer, word: Word) => Level | undefined) {
  const { from, end, scanEnd } = line;
  const last = scanEnd - 1;
  for (let at = nextPlaces(bytes, from, last); at < last; at = nextPlaces(bytes, at + 3, last)) {
    const places = placesAt(bytes, at);
    for (let place = 2; place >= 0; place -= 1) {
      if ((places & (1 << place)) === 0) continue;
      const word = wordAt(bytes, line, at - place);
      const level = word && visit(bytes, word);
      if (level !== undefined) return level;
    }
  }
  // The third letter of a word may end the line.
  const word = end > scanEnd ? undefined : wordAt(bytes, line, end - 3);
  return word && visit(bytes, word);
}

/** The first of every third byte from `from` on where part of a word may stand; `last` or more when there is none. */
function nextPlaces(bytes: Buffer, from: number, last: number): number {
  let at = from;
  // Four at a time: two in three find nothing in any of them, and so there are fewer branches that cannot be foreseen.
  for (const fast = last - 9; at < fast; at += 12) {
    const first = placesAt(bytes, at);
    const second = placesAt(bytes, at + 3);
    const third = placesAt(bytes, at + 6);
    if ((first | second | third | placesAt(bytes, at + 9)) === 0) continue;
    if (first !== 0) return at;
    if (second !== 0) return at + 3;
    return third !== 0 ? at + 6 : at + 9;
  }
  while (at < last && placesAt(bytes, at) === 0) at += 3;
  return at;
}

/** @returns the level that the word which begins at `start` names */
export function levelNamedAt(bytes: Buffer, start: number): Level | undefined {
  return knownWordAt(bytes, start)?.level;
}

function wordAt(bytes: Buffer, line: Line, start: number): Word | undefined {
  if (start < line.from || GROUP_NUMBERS[beginningAt(bytes, start)] === 0) return undefined;
  if (start > line.from && isWordByte(bytes[start - 1])) return undefined;
  const known = knownWordAt(bytes, start);
  return known && { line, start, end: start + known.folded.length, level: known.level };
}

/** Compares bytes, for a string would cost more than all the rest. */
function knownWordAt(bytes: Buffer, start: number): KnownWord | undefined {
  const group = GROUPS[(GROUP_NUMBERS[beginningAt(bytes, start)] as number) - 1] ?? [];
  for (const word of group) {
    if (hasBytes(bytes, start, word.folded) && !isWordByte(bytes[start + word.folded.length])) return word;
  }
  return undefined;
}

function hasBytes(bytes: Buffer, start: number, folded: readonly number[]): boolean {
  for (let index = 0; index < folded.length; index += 1) {
    if (fold(bytes[start + index]) !== folded[index]) return false;
  }
  return true;
}

function placesAt(bytes: Buffer, at: number): number {
  return PLACES[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] as number;
}

/** Three letters in either case as one number, which other bytes may have as well. */
function beginningAt(bytes: ArrayLike<number>, at: number): number {
  return (
    (((bytes[at] as number) & 31) << 10) | (((bytes[at + 1] as number) & 31) << 5) | ((bytes[at + 2] as number) & 31)
  );
}

function placesOfPairs(): Uint8Array {
  const places = new Uint8Array(0x10000);
  const separators = [...IS_WORD_BYTE.keys()].filter((byte) => IS_WORD_BYTE[byte] === 0);
  for (const word of [...LEVEL_WORDS.keys(), ...LEVEL_KEYS]) {
    for (let place = 0; place < 3; place += 1) {
      // What follows a word of three letters is no part of it.
      const seconds = place + 1 < word.length ? bothCases(word.charAt(place + 1)) : separators;
      for (const first of bothCases(word.charAt(place))) {
        for (const second of seconds)
          places[(first << 8) | second] = (places[(first << 8) | second] ?? 0) | (1 << place);
      }
    }
  }
  return places;
}

function groupsOfWords(): readonly (readonly KnownWord[])[] {
  const groups = new Map<number, KnownWord[]>();
  for (const text of [...LEVEL_WORDS.keys(), ...LEVEL_KEYS]) {
    const folded = Array.from(text, (letter) => fold(letter.charCodeAt(0)));
    const beginning = beginningAt(folded, 0);
    groups.set(beginning, [...(groups.get(beginning) ?? []), { folded, level: LEVEL_WORDS.get(text) }]);
  }
  return [...groups.values()];
}

function groupNumbers(): Uint8Array {
  const numbers = new Uint8Array(1 << 15);
  GROUPS.forEach(([word], index) => {
    numbers[beginningAt((word as KnownWord).folded, 0)] = index + 1;
  });
  return numbers;
}

/** Equal for a letter in either case (and for `_` and DEL, which is no part of a word). */
function fold(byte: number | undefined): number {
  return (byte ?? 0) | 0x20;
}

function isWordByte(byte: number | undefined): boolean {
  return byte !== undefined && IS_WORD_BYTE[byte] === 1;
}

function bothCases(letter: string): number[] {
  return [letter.charCodeAt(0), letter.toUpperCase().charCodeAt(0)];
}
