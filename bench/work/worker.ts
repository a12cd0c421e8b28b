/** Work that needs a process of its own, as a TypeScript file beside this folder that prints its answer as the last line. */
import { join } from 'node:path';
import type { Sandbox } from '../../test/helpers/sandbox.ts';
import { runTimed, type Timed } from './timed.ts';

const BENCH = join(import.meta.dirname, '..');

/**
 * @param file below bench/
 * @returns what it printed last, and what it used
 */
export async function work(
  box: Sandbox,
  file: string,
  ...args: string[]
): Promise<Timed & { readonly answer: string }> {
  const tsx = import.meta.resolve('tsx');
  const timed = await runTimed(box, [process.execPath, '--import', tsx, join(BENCH, file), ...args]);
  return { ...timed, answer: timed.result.text.trimEnd().split('\n').at(-1) ?? '' };
}
