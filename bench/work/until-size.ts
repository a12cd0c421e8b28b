import { statSync } from 'node:fs';
import { DEADLINE_MS, waitFor } from '../../test/helpers/wait-for.ts';

const EVERY_MS = 5;
/** However slow a contender is, it never writes nothing for so long: it hangs. */
const STALL_MS = DEADLINE_MS;

/**
 * Resolves when the file has so many bytes.
 * @throws when it has not grown for a minute
 */
export async function untilSize(file: string, bytes: number): Promise<void> {
  let size = 0;
  let grewAt = performance.now();
  const isThere = () => {
    const now = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (now !== size) grewAt = performance.now();
    size = now;
    if (size < bytes && performance.now() - grewAt > STALL_MS) {
      throw new Error(`${file} has ${size} bytes of ${bytes}, and none more since ${STALL_MS / 1000} s`);
    }
    return size >= bytes;
  };
  await waitFor(`${bytes} bytes in ${file}`, isThere, { everyMs: EVERY_MS, deadlineMs: Number.POSITIVE_INFINITY });
}
