/** Drives a packer: lines go in as they come, and what waits in an open block goes out in time. */
import type { RawLine } from '../lines/split.ts';
import type { Packer } from './pack.ts';
import type { Shipper } from './ship.ts';

/**
 * Resolves when the lines have ended and every content is with the shipper.
 * @param now the packer's clock
 */
export async function pumpLines(
  lines: AsyncIterator<readonly RawLine[]>,
  packer: Packer,
  shipper: Pick<Shipper, 'ship'>,
  now: () => number,
): Promise<void> {
  let next = lines.next();
  for (;;) {
    const result = await before(next, packer.deadline(), now);
    if (result === 'late') {
      await shipper.ship(packer.flush());
      continue;
    }
    if (result.done) break;
    next = lines.next(); // reads on while the lines before are on their way
    next.catch(() => undefined); // thrown by the await above, not before its turn
    await shipper.ship(packer.add(result.value));
  }
  await shipper.ship(packer.flush());
}

async function before<T>(work: Promise<T>, deadline: number | undefined, now: () => number): Promise<T | 'late'> {
  if (deadline === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, deadline - now()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
