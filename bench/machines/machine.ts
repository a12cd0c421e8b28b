/** What is done with one machine in most measurements, each with the real command line and each checked. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { filesBelow } from '../../test/helpers/disk.ts';
import { hashTexts } from '../../test/helpers/hash-texts.ts';
import type { Machine } from '../../test/helpers/machine.ts';
import { SSBLOG } from '../../test/helpers/sandbox.ts';
import type { InputFile } from '../input/logs.ts';
import { type Redirections, runTimed, type Timed } from '../work/timed.ts';

/** How a line of the combined log begins, in latin1. */
const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[(.+?)\] /;
/** More than one line has. */
const EDGE_BYTES = 1024 * 1024;

/** `ssblog ARGS` on this machine, from its start to its end. */
export function runVerb(machine: Machine, args: readonly string[], files: Redirections = {}): Promise<Timed> {
  return runTimed(machine.box, commandOf(machine, args), files);
}

export function commandOf(machine: Machine, args: readonly string[]): string[] {
  return [process.execPath, SSBLOG, '--path', machine.dir, ...args];
}

/** `ssblog pipe ARGS < FILE`. @throws when not every line was published */
export async function pipeFile(machine: Machine, input: InputFile, args: readonly string[] = []): Promise<Timed> {
  const timed = await runVerb(machine, ['pipe', '--json', ...args], { stdin: input.file });
  const { lines, published, spooled } = JSON.parse(timed.result.text) as Record<string, number>;
  if (lines !== input.lines || published !== input.lines || spooled !== 0) {
    throw new Error(`pipe took ${lines} of ${input.lines} lines, published ${published}, spooled ${spooled}`);
  }
  return timed;
}

/** `ssblog assemble -o FILE` and its result looked at. @param source what stands in every line */
export async function assembleChecked(
  machine: Machine,
  file: string,
  inputs: readonly InputFile[],
  source: string,
): Promise<Timed> {
  const timed = await runVerb(machine, ['assemble', '-o', file]);
  await checkCombined(file, inputs, source);
  return timed;
}

/** How many bytes stand before each text of a combined log. */
export function prefixBytes(source: string): number {
  return `2026-11-22 03:00:01 [${source}] `.length;
}

/**
 * @param skipLines so many lines at the beginning are something else
 * @throws when the texts of a combined log are not the inputs' lines, byte for byte and in order
 */
export async function checkCombined(
  file: string,
  inputs: readonly InputFile[],
  source: string,
  skipLines = 0,
): Promise<void> {
  const [got, want] = await Promise.all([
    hashTexts([file], { prefixBytes: prefixBytes(source), skipLines }),
    hashTexts(inputs.map((input) => input.file)),
  ]);
  if (got.lines !== want.lines) throw new Error(`${file} has ${got.lines} lines instead of ${want.lines}`);
  if (got.hash !== want.hash) throw new Error(`${file} has other texts than were piped in`);
  for (const line of [firstLine(file), lastLine(file)]) {
    if (LINE.exec(line)?.[1] !== source) throw new Error(`a line of ${file} does not begin as it should: ${line}`);
  }
}

function firstLine(file: string): string {
  return edge(file, 0).split('\n')[0] as string;
}

function lastLine(file: string): string {
  return edge(file, Math.max(0, statSync(file).size - EDGE_BYTES))
    .split('\n')
    .at(-2) as string;
}

function edge(file: string, position: number): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(EDGE_BYTES);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, EDGE_BYTES, position));
  } finally {
    closeSync(descriptor);
  }
}

/** Of all files of a machine. */
export function bytesOnDisk(machine: Machine): number {
  return filesBelow(machine.dir).reduce((sum, file) => sum + statSync(file).size, 0);
}

/** The daemon ends, in order. */
export async function stopDaemon(machine: Machine): Promise<void> {
  const code = await machine.stop();
  if (code !== 0) throw new Error(`the daemon of ${machine.name} ended with ${code}`);
}
