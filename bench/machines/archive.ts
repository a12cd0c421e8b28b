/** Machines that already have a long log. Filling one takes longer than reading it, so each is made once. */
import { Machine, randomNetworkKey } from '../../test/helpers/machine.ts';
import type { Sandbox } from '../../test/helpers/sandbox.ts';
import type { Inputs } from '../input/inputs.ts';
import type { InputFile } from '../input/logs.ts';
import { pipeFile, stopDaemon } from './machine.ts';

/** A job that is looked for among all others. */
export const RARE_JOB = 'nightly';
const MAX_RARE_LINES = 1_000;

export interface Archive {
  /** Its daemon does not run. */
  readonly machine: Machine;
  /** All that was piped in, in the order in which it comes out again. */
  readonly inputs: readonly InputFile[];
  /** The one that is RARE_JOB's. */
  readonly rare: InputFile;
  readonly lines: number;
  /** Pipes more lines in, with no daemon. */
  append(input: InputFile): Promise<void>;
}

export class Archives {
  readonly #box: Sandbox;
  readonly #inputs: Inputs;
  readonly #made = new Map<number, Archive>();

  constructor(box: Sandbox, inputs: Inputs) {
    this.#box = box;
    this.#inputs = inputs;
  }

  /** Three runs one after the other: half of the mixed lines, a short job of regular lines, the other half. */
  async get(lines: number): Promise<Archive> {
    const made = this.#made.get(lines) ?? (await this.#make(lines));
    this.#made.set(lines, made);
    return made;
  }

  async #make(lines: number): Promise<Archive> {
    const rareLines = Math.min(MAX_RARE_LINES, Math.floor(lines / 10));
    const half = Math.floor((lines - rareLines) / 2);
    const before = await this.#inputs.get('mixed', half);
    const rare = await this.#inputs.get('regular', rareLines);
    const after = await this.#inputs.get('mixed', lines - rareLines - half, half);
    const machine = await Machine.make(this.#box, `archive-${lines}`, randomNetworkKey(), 'sqlite');
    await machine.start();
    await pipeFile(machine, before, ['--job', 'photos']);
    await pipeFile(machine, rare, ['--job', RARE_JOB]);
    await pipeFile(machine, after, ['--job', 'videos']);
    await stopDaemon(machine);
    const inputs = [before, rare, after];
    return {
      machine,
      inputs,
      rare,
      get lines() {
        return inputs.reduce((sum, input) => sum + input.lines, 0);
      },
      append: async (input) => {
        await pipeFile(machine, input);
        inputs.push(input);
      },
    };
  }
}
