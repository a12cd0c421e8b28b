/** Where a command's output is copied to as it comes. */
import type { Writable } from 'node:stream';
import type { StreamName } from '../message/record.ts';
import type { OutputChunk } from './output.ts';

export type Targets = Readonly<Record<StreamName, Writable>>;

/** Bytes unchanged, in order; waits for a slow reader. One that has left is no failure: the command goes on. */
export async function copyTo(targets: Targets, { stream, bytes }: Pick<OutputChunk, 'stream' | 'bytes'>) {
  const target = targets[stream];
  if (!target.writable || target.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const goOn = () => {
      target.off('drain', goOn).off('close', goOn).off('error', goOn);
      resolve();
    };
    target.on('drain', goOn).on('close', goOn).on('error', goOn);
  });
}
