/**
 * What was sent, what was promised, and whether a log keeps the promise. Every producer's lines carry its name and a
 * number, and its name is the source of its run: so each line of a log is owed to exactly one producer.
 */
import { type Random, randomLine } from '../helpers/random.ts';

/**
 * - `acknowledged`: `pipe` ended with 0, or its summary was read: every line must be there.
 * - `broken`: it was killed, or said that lines are lost: what is there must be the beginning of what was sent.
 */
export type Promised = 'acknowledged' | 'broken';

export interface Producer {
  readonly source: string;
  readonly lines: readonly Buffer[];
  promised: Promised | undefined;
}

export interface Tally {
  delivered: number;
  lost: number;
  doubled: number;
  /** Lines that nobody sent, or that are not what was sent, or in another order. */
  wrong: number;
}

const LF = 0x0a;

export class Obligations {
  readonly #producers = new Map<string, Producer>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get producers(): readonly Producer[] {
    return [...this.#producers.values()];
  }

  count(promised?: Promised): number {
    const counted = this.producers.filter((producer) => promised === undefined || producer.promised === promised);
    return counted.reduce((sum, { lines }) => sum + lines.length, 0);
  }

  /** @param maxBytes of what follows a line's number: anything but LF */
  newProducer(lines: number, maxBytes = 80): Producer {
    const source = `p${this.#producers.size + 1}`;
    const producer: Producer = {
      source,
      lines: Array.from({ length: lines }, (_, index) =>
        Buffer.concat([Buffer.from(`${source}#${index + 1} `), randomLine(this.#random, maxBytes), Buffer.from('\n')]),
      ),
      promised: undefined,
    };
    this.#producers.set(source, producer);
    return producer;
  }

  /**
   * @param log what `ssblog log --utc` printed
   * @param of the producers that it is of; others' lines are wrong
   * @returns counts, and what is wrong in words, at most a few of each
   */
  check(log: Buffer, of: readonly Producer[]): { tally: Tally; complaints: string[] } {
    const tally: Tally = { delivered: 0, lost: 0, doubled: 0, wrong: 0 };
    const complaints: string[] = [];
    const bySource = linesBySource(log);
    for (const producer of of) {
      const lines = bySource.get(producer.source) ?? [];
      bySource.delete(producer.source);
      checkProducer(producer, lines, tally, complaints);
    }
    for (const [source, lines] of bySource) {
      tally.wrong += lines.length;
      complaints.push(`${lines.length} lines of "${source}", which nobody sent: ${show(lines[0])}`);
    }
    return { tally, complaints };
  }
}

function checkProducer(producer: Producer, lines: readonly Buffer[], tally: Tally, complaints: string[]): void {
  const { source, promised, lines: sent } = producer;
  tally.delivered += lines.length;
  const got = Buffer.concat(lines);
  const want = Buffer.concat(sent);
  if (promised === 'acknowledged' ? got.equals(want) : isBeginning(got, want)) return;
  const numbers = new Map<string, number>();
  for (const line of lines) {
    const number = numberOf(line);
    numbers.set(number, (numbers.get(number) ?? 0) + 1);
  }
  const doubled = [...numbers].filter(([, count]) => count > 1);
  const known = new Set(sent.map(numberOf));
  const last =
    promised === 'acknowledged' ? sent.length : sent.findLastIndex((line) => numbers.has(numberOf(line))) + 1;
  const lost = sent.slice(0, last).filter((line) => !numbers.has(numberOf(line)));
  const alien = lines.filter((line) => !known.has(numberOf(line)));
  tally.doubled += doubled.reduce((sum, [, count]) => sum + count - 1, 0);
  tally.lost += lost.length;
  // Complete and without doubles, yet not the same: another order, or other bytes.
  tally.wrong += doubled.length + lost.length + alien.length === 0 ? 1 : alien.length;
  const at = sent.findIndex((line, index) => !lines[index]?.equals(line));
  complaints.push(
    `${source} (${promised}): ${lines.length} of ${sent.length} lines, ${lost.length} lost (${show(lost[0])}), ` +
      `${doubled.length} doubled (${doubled[0]?.[0]}), ${alien.length} never sent; ` +
      `line ${at + 1} is ${show(lines[at])}, not ${show(sent[at])}`,
  );
}

/** A line may be cut where its pieces end; a reader ends it with a line feed. */
function isBeginning(got: Buffer, want: Buffer): boolean {
  const text = got.at(-1) === LF ? got.subarray(0, -1) : got;
  return want.subarray(0, text.length).equals(text);
}

function linesBySource(log: Buffer): Map<string, Buffer[]> {
  const bySource = new Map<string, Buffer[]>();
  for (let start = 0; start < log.length; ) {
    const end = log.indexOf(LF, start) + 1 || log.length;
    const line = log.subarray(start, end);
    start = end;
    // `2026-11-22 03:00:01 [source] text`
    const open = line.indexOf('[');
    const close = line.indexOf('] ', open);
    const source = line.toString('utf8', open + 1, close);
    const lines = bySource.get(source);
    const text = line.subarray(close + 2);
    if (lines === undefined) bySource.set(source, [text]);
    else lines.push(text);
  }
  return bySource;
}

/** `p7#12` */
function numberOf(line: Buffer): string {
  const space = line.indexOf(' ');
  return line.toString('latin1', 0, space < 0 ? line.length : space);
}

function show(line: Buffer | undefined): string {
  return line === undefined ? 'missing' : JSON.stringify(line.toString('latin1').slice(0, 60));
}
