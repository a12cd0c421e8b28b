/**
 * A line's level, where the line states one in a form that hardly means anything else; knows no run and no message.
 * It runs for every line, so only a line with a level's word in it is looked at more closely.
 */
import { LEVELS, type Level } from '../message/level.ts';
import { findWord, levelNamedAt, type Word } from './level-words.ts';

/** The level stands near the line's start. */
const SCAN_BYTES = 256;

interface Form {
  readonly bytes: Buffer;
  readonly level: Level;
  /** What the rest of the line has to hold. */
  readonly rest?: RegExp | undefined;
}

/** How lines of backup tools begin that name no level in a common form. */
const PREFIXES = byInitial([
  ['rsync error: ', 'err'],
  ['rsync warning: ', 'warning'],
  ['rsync: ', 'warning'],
  ['file has vanished: ', 'warning'],
  // borg
  ['terminating with error status', 'err'],
  ['terminating with warning status', 'warning'],
  ['Failed to create/acquire the lock ', 'err'],
  ['passphrase supplied in ', 'err', /is incorrect\.$/],
  ['Repository ', 'err', /does not exist\.$/],
  ['Archive ', 'err', /already exists$/],
  // duplicity
  ['Warning, ', 'warning'],
  ['Warning ', 'warning'],
  ['Error accessing possibly locked file ', 'warning'],
  ['Giving up after ', 'err', /^\d+ attempts\b/],
  ['Backup source directory ', 'err', /does not exist\.$/],
  ['Command line error: ', 'err'],
  ['GPGError: ', 'err'],
  // GNU tar
  ['tar: Exiting with failure status ', 'err'],
  ['tar: ', 'err', /: Cannot \w+: |: Wrote only \d+ of /],
  ['tar: ', 'warning', /: file changed as we read it$|: File removed before we read it$/],
  ['tar (child): ', 'err', /: Cannot \w+: /],
  // ssh, below most of them
  ['ssh: ', 'err', /^(?:Could not resolve hostname|connect to host) /],
]);

/** How they end; what a file cannot be read is no reason for them to stop. */
const SKIPPED_BY_RESTIC = Buffer.from(' does not exist, skipping');
/** borg's, with Python's text of an error: `/x: open: [Errno 13] Permission denied: 'x'` */
const ERRNO = Buffer.from(': [Errno ');
const ERRNO_OF_A_FILE = /^(?!\w*Error: ).*: \[Errno \d+\] [^:]+: '.*'$/;
const QUOTE = 0x27;

function byInitial(
  forms: readonly (readonly [text: string, level: Level, rest?: RegExp])[],
): ReadonlyMap<number | undefined, readonly Form[]> {
  const map = new Map<number | undefined, Form[]>();
  for (const [text, level, rest] of forms) {
    const bytes = Buffer.from(text, 'latin1');
    map.set(bytes[0], [...(map.get(bytes[0]) ?? []), { bytes, level, rest }]);
  }
  return map;
}

/** Stands for what is before and behind a line, which has no LF of its own. */
const EDGE = 0x0a;
/** Set in lower-case letters. */
const CASE_BIT = 0x20;
const SPACE = 0x20;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const DOT = 0x2e;

const BEFORE_CAPITALS = byteSet('\n \t[]()<>|:@*;,');
const AFTER_CAPITALS = byteSet('\n\r \t])>|:,;!*');
/** What may stand, with a blank between, before a label such as `error: `: a time, a program's name, a bracket; no word. */
const BEFORE_LABEL = byteSet(':])>|-.0123456789');
/** The same without a blank. */
const ADJACENT_TO_LABEL = byteSet('])>|');
const AFTER_LABEL = byteSet('\n\r \t');
const BEFORE_KEY = byteSet('\n \t"\'{[(,|');
const QUOTES = byteSet('"\'');
/** Last letters of `no`, `zero`, `0`, `not`, `without`, `non`. */
const DENIAL_ENDS = byteSet('0oOtTnN');
const BLANKS = byteSet(' \t');

function byteSet(characters: string): ReadonlySet<number | undefined> {
  return new Set(Buffer.from(characters, 'latin1'));
}

/**
 * The level that a line states first: as a syslog priority `<3>`, `[warn]`, `ERROR`, `level=error`, `"level":"error"`,
 * `error: …` where a statement begins, or in the forms of duplicity, rsync, restic, borg and tar.
 * @param bytes hold the line, without a newline, from `start` to `end`. Beside it there is nothing, or an LF
 */
export function detectLevel(bytes: Buffer, start = 0, end = bytes.length): Level | undefined {
  // duplicity's --log-fd puts ". " before the text that belongs to the keyword above it.
  const from = bytes[start] === DOT && bytes[start + 1] === SPACE ? start + 2 : start;
  const level =
    (bytes[start] === LESS ? priorityLevel(bytes.subarray(start, end)) : undefined) ??
    prefixLevel(bytes, from, end) ??
    suffixLevel(bytes, start, end);
  if (level !== undefined) return level;
  const levelOf = bytes[from] === BRACE ? levelInJson : levelInText;
  return findWord(bytes, { start, end, from, scanEnd: Math.min(end, start + SCAN_BYTES) }, levelOf);
}

/** `<N>`: facility * 8 + severity (RFC 5424, 6.2.1), or the severity alone (systemd's sd-daemon(3)). */
function priorityLevel(line: Buffer): Level | undefined {
  const digits = /^<(0|[1-9]\d{0,2})>/.exec(line.toString('latin1', 0, 5))?.[1];
  const priority = Number(digits);
  return priority <= 191 ? LEVELS[priority % 8] : undefined;
}

function prefixLevel(line: Buffer, from: number, end: number): Level | undefined {
  const forms = PREFIXES.get(line[from]);
  if (forms === undefined) return undefined;
  for (const { bytes, level, rest } of forms) {
    const restStart = from + bytes.length;
    // Most lines differ in the second byte, and a call takes longer than that look.
    if (line[from + 1] !== bytes[1] || restStart > end || bytes.compare(line, from, restStart) !== 0) continue;
    if (rest?.test(line.toString('latin1', restStart, end)) !== false) return level;
  }
  return undefined;
}

function suffixLevel(bytes: Buffer, start: number, end: number): Level | undefined {
  const suffix = end - SKIPPED_BY_RESTIC.length;
  if (suffix > start && bytes[suffix] === SPACE && SKIPPED_BY_RESTIC.compare(bytes, suffix, end) === 0)
    return 'warning';
  if (bytes[end - 1] !== QUOTE) return undefined;
  const line = bytes.subarray(start, end);
  if (!line.includes(ERRNO)) return undefined;
  return ERRNO_OF_A_FILE.test(line.toString('latin1')) ? 'warning' : undefined;
}

/** In JSON all but the keys is somebody's text. */
function levelInJson(bytes: Buffer, word: Word): Level | undefined {
  return word.level === undefined ? levelOfKey(bytes, word) : undefined;
}

function levelInText(bytes: Buffer, word: Word): Level | undefined {
  if (word.level === undefined) return levelOfKey(bytes, word);
  return isStatement(bytes, word) ? word.level : undefined;
}

/** `level=warn`, `level="warn"`, `"level": "warn"` */
function levelOfKey(bytes: Buffer, { start, end }: Word): Level | undefined {
  if (!BEFORE_KEY.has(bytes[start - 1] ?? EDGE)) return undefined;
  const isQuoted = QUOTES.has(bytes[end]);
  let at = skipBlanks(bytes, isQuoted ? end + 1 : end);
  if (bytes[at] !== EQUALS && !(isQuoted && bytes[at] === COLON)) return undefined;
  at = skipBlanks(bytes, at + 1);
  return levelNamedAt(bytes, QUOTES.has(bytes[at]) ? at + 1 : at);
}

/** Whether a level's word stands there to state the level, and is not a part of a sentence. */
function isStatement(bytes: Buffer, word: Word): boolean {
  if (isBracketed(bytes, word)) return true;
  const stands = isUpperCase(bytes, word) ? standsApart(bytes, word) : isLabel(bytes, word);
  return stands && !isDenied(bytes, word) && !isFollowedByNothing(bytes, word);
}

/** `[error]`, `[ warn ]`, Apache's `[core:error]`, macOS's `<Error>:` */
function isBracketed(bytes: Buffer, { start, end }: Word): boolean {
  if (bytes[start - 1] === LESS) return bytes[end] === GREATER && bytes[end + 1] === COLON;
  if (bytes[skipBlanks(bytes, end)] !== BRACKET_END) return false;
  return bytes[start - 1] === COLON || bytes[skipBlanksBack(bytes, start) - 1] === BRACKET;
}

function isUpperCase(bytes: Buffer, { start, end }: Word): boolean {
  for (let at = start; at < end; at += 1) if (((bytes[at] as number) & CASE_BIT) !== 0) return false;
  return true;
}

function standsApart(bytes: Buffer, { start, end }: Word): boolean {
  return BEFORE_CAPITALS.has(bytes[start - 1] ?? EDGE) && AFTER_CAPITALS.has(bytes[end] ?? EDGE);
}

/** `error: ` or `error : `, where a statement begins. */
function isLabel(bytes: Buffer, { line, start, end }: Word): boolean {
  const colon = bytes[end] === SPACE ? end + 1 : end;
  if (bytes[colon] !== COLON || !AFTER_LABEL.has(bytes[colon + 1] ?? EDGE)) return false;
  const beforeEnd = skipBlanksBack(bytes, start);
  if (beforeEnd === line.start) return true;
  const allowed = beforeEnd === start ? ADJACENT_TO_LABEL : BEFORE_LABEL;
  // A time may end in Z.
  return (
    allowed.has(bytes[beforeEnd - 1]) ||
    /\dZ\s+$/.test(bytes.toString('latin1', Math.max(line.start, start - 8), start))
  );
}

/** `no ERROR`, `0 error: …` */
function isDenied(bytes: Buffer, { line, start }: Word): boolean {
  if (!DENIAL_ENDS.has(bytes[skipBlanksBack(bytes, start) - 1])) return false;
  return /(?:^|[^\w:.,])(?:0|no|non|not|zero|without)\s+$/i.test(
    bytes.toString('latin1', Math.max(line.start, start - 12), start),
  );
}

/** `error: none`, `ERROR: 0`: a summary, or a dumped object. */
function isFollowedByNothing(bytes: Buffer, { line, end }: Word): boolean {
  if (line.end - end > 16) return false;
  return /^ ?: *(?:0|no|nil|null|none|false|ok|undefined)[\s,;})\]]*$/i.test(bytes.toString('latin1', end, line.end));
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (BLANKS.has(bytes[at])) at += 1;
  return at;
}

function skipBlanksBack(bytes: Buffer, from: number): number {
  let at = from;
  while (BLANKS.has(bytes[at - 1])) at -= 1;
  return at;
}
