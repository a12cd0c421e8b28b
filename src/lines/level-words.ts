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

/** By folded first letter. */
const KNOWN_WORDS = knownWords();

export interface Word {
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

/** Where to look for words in bytes that hold more than a line. */
interface Place {
  /** Of the line. */
  readonly start: number;
  readonly end: number;
  /** Of the words: from the first byte on, before the last one. */
  readonly from: number;
  readonly scanEnd: number;
}

/**
 * The words there, in any case and in their order, with `visit`'s first answer; it gets the line alone. Looks at two
 * bytes in every three: the first three letters of a word cannot all be stepped over. A walk byte by byte took twice as
 * long.
 */
export function findWord(
  bytes: Buffer,
  { start, from, end, scanEnd }: Place,
  visit: (line: Buffer, word: Word) => Level | undefined,
): Level | undefined {
  const last = scanEnd - 1;
  for (let at = from; at < last; at += 3) {
    const places = placesAt(bytes, at);
    if (places === 0) continue;
    for (let place = 2; place >= 0; place -= 1) {
      const word = (places & (1 << place)) === 0 ? undefined : wordAt(bytes, from, at - place);
      const level = word && visit(bytes.subarray(start, end), inLine(word, start));
      if (level !== undefined) return level;
    }
  }
  // The third letter of a word may end the line.
  const word = end > scanEnd ? undefined : wordAt(bytes, from, end - 3);
  return word && visit(bytes.subarray(start, end), inLine(word, start));
}

function inLine({ start, end, level }: Word, lineStart: number): Word {
  return { start: start - lineStart, end: end - lineStart, level };
}

/** @returns the level that the word which begins at `start` names */
export function levelNamedAt(line: Buffer, start: number): Level | undefined {
  return knownWordAt(line, start)?.level;
}

function wordAt(line: Buffer, from: number, start: number): Word | undefined {
  if (start < from || (start > from && isWordByte(line[start - 1]))) return undefined;
  if ((placesAt(line, start) & 1) === 0 || (placesAt(line, start + 1) & 2) === 0) return undefined;
  const known = knownWordAt(line, start);
  return known && { start, end: start + known.folded.length, level: known.level };
}

/** Compares bytes, for a string would cost more than all the rest. */
function knownWordAt(line: Buffer, start: number): KnownWord | undefined {
  for (const word of KNOWN_WORDS.get(fold(line[start])) ?? []) {
    if (hasBytes(line, start, word.folded) && !isWordByte(line[start + word.folded.length])) return word;
  }
  return undefined;
}

function hasBytes(line: Buffer, start: number, folded: readonly number[]): boolean {
  for (let index = 1; index < folded.length; index += 1) {
    if (fold(line[start + index]) !== folded[index]) return false;
  }
  return true;
}

function placesAt(line: Buffer, at: number): number {
  return PLACES[((line[at] as number) << 8) | (line[at + 1] as number)] as number;
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

function knownWords(): ReadonlyMap<number, readonly KnownWord[]> {
  const words = new Map<number, KnownWord[]>();
  for (const text of [...LEVEL_WORDS.keys(), ...LEVEL_KEYS]) {
    const folded = Array.from(text, (letter) => fold(letter.charCodeAt(0)));
    const initial = fold(folded[0]);
    words.set(initial, [...(words.get(initial) ?? []), { folded, level: LEVEL_WORDS.get(text) }]);
  }
  return words;
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
