/** Large inputs made of the logs: as many lines as wanted, no two the same. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { InputFile, Logs } from './logs.ts';

/** Mixed: the lines of all logs, one log after the other and again, each with its number. Regular: lines of one form. */
export type Kind = 'mixed' | 'regular';

const LINES_PER_WRITE = 5_000;

export class Inputs {
  readonly #dir: string;
  readonly #logs: Logs;
  #lines: readonly string[] | undefined;

  constructor(dir: string, logs: Logs) {
    this.#dir = dir;
    this.#logs = logs;
  }

  /** The file with so many lines, numbered from `first`; made when it is asked for the first time. */
  async get(kind: Kind, lines: number, first = 0): Promise<InputFile> {
    const file = join(this.#dir, `${kind}-${lines}-${first}.txt`);
    if (!existsSync(file)) await this.#write(file, kind, lines, first);
    return { file, lines, bytes: statSync(file).size };
  }

  async #write(file: string, kind: Kind, lines: number, first: number): Promise<void> {
    const make = kind === 'regular' ? regularLine : this.#mixedLine();
    const handle = await open(file, 'wx');
    try {
      for (let at = first; at < first + lines; at += LINES_PER_WRITE) {
        let text = '';
        const end = Math.min(at + LINES_PER_WRITE, first + lines);
        for (let index = at; index < end; index += 1) text += `${make(index)}\n`;
        await handle.write(Buffer.from(text, 'latin1'));
      }
    } finally {
      await handle.close();
    }
  }

  #mixedLine(): (index: number) => string {
    // Latin-1 keeps every byte as one character. The number goes to the line's end, so CR is no part of the end here.
    this.#lines ??= this.#logs.all.flatMap(({ file }) =>
      readFileSync(file, 'latin1')
        .slice(0, -1)
        .split('\n')
        .map((line) => line.replace(/\r+$/, '')),
    );
    const lines = this.#lines;
    return (index) => `${lines[index % lines.length]} ${index}`;
  }
}

function regularLine(index: number): string {
  const number = String(index).padStart(8, '0');
  return `INFO backup: copied /home/anna/photos/2026/${index % 977}/IMG_${number}.jpg, ${(index * 7919) % 5_000_011} bytes in ${index % 89} ms`;
}
