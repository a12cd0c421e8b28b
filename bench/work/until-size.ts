import { statSync } from 'node:fs';
import { waitFor } from '../../test/helpers/wait-for.ts';

const EVERY_MS = 5;
const DEADLINE_MS = 20 * 60_000;

/** Resolves when the file has so many bytes. */
export async function untilSize(file: string, bytes: number): Promise<void> {
  const size = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  await waitFor(`${bytes} bytes in ${file}`, () => size() >= bytes, {
    everyMs: EVERY_MS,
    deadlineMs: DEADLINE_MS,
    detail: () => `there are ${size()}`,
  });
}
