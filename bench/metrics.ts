/** The names of what several contenders are measured by, in files of their own. */
import type { Kind } from './input/inputs.ts';
import type { Figure } from './measurement.ts';

export const ONE_MESSAGE_A_LINE = 'stdin → durable, one message a line';
export const toDurable = (kind: Kind) => `stdin → durable, ${kind} lines`;
export const durableThere = (kind: Kind) => `file → durable on the second machine, ${kind} lines`;
export const combinedThere = (kind: Kind) => `file → combined log on the second machine, ${kind} lines`;
export const cpuOf = (part: string) => `processor time for a million mixed lines: ${part}`;
export const peakOf = (part: string) => `most memory while mixed lines pass: ${part}`;

/** @returns lines a second */
export function rate(metric: string, contender: string, lines: number, ms: number): Figure {
  return { metric, contender, unit: 'lines/s', value: lines / (ms / 1000) };
}

export const assembleRate = (lines: number) => `assemble, ${lines.toLocaleString('en')} lines`;
export const assembleMemory = (lines: number) => `most memory of assemble, ${lines.toLocaleString('en')} lines`;
