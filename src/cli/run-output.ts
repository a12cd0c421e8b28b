/** Where `run` shows its command's output: as it comes, or with `--quiet-ok` when the command failed. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyTo, type Targets } from '../run/copy.ts';
import type { OutputChunk } from '../run/output.ts';
import { QuietBuffer } from '../run/quiet-buffer.ts';
import type { Invocation } from './context.ts';

export interface OutputTarget {
  readonly copy: (chunk: OutputChunk) => Promise<void>;
  /** Shows what was kept back. */
  readonly show: () => Promise<void>;
}

export function outputTarget({ context, globals, dir }: Invocation, quietOk: boolean): OutputTarget {
  // With --json the one document on stdout is the answer.
  const targets: Targets = { stdout: globals.json ? context.stderr : context.stdout, stderr: context.stderr };
  const copy = (chunk: Pick<OutputChunk, 'stream' | 'bytes'>) => copyTo(targets, chunk);
  if (!quietOk) return { copy, show: async () => undefined };
  const name = `output-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  const buffer = new QuietBuffer({
    files: [join(dir, name), join(tmpdir(), `ssblog-${name}`)],
    show: copy,
    onFull: (reason) => {
      const why = (reason as Error).message;
      context.stderr.write(`ssblog: warning: the output cannot be kept back, so all of it follows: ${why}\n`);
    },
  });
  return { copy: (chunk) => buffer.add(chunk), show: () => buffer.show() };
}
