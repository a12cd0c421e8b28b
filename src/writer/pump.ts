/** Drives a packer: lines go in as they come, and what waits in an open block goes out in time. */
import type { LineContent } from './open-block.ts';
import type { Shipper } from './ship.ts';

/** What a packer is here: it may be asked for the lines of one stream or of several. */
interface Packing<Lines> {
  add(lines: Lines): LineContent[];
  flush(): LineContent[];
  deadline(): number | undefined;
}

/**
 * Resolves when the lines have ended and every content is with the shipper.
 * @param now the packer's clock
 */
export async function pumpLines<Lines>(
  lines: AsyncIterator<Lines>,
  packer: Packing<Lines>,
  shipper: Pick<Shipper, 'ship'>,
  now: () => number,
): Promise<void> {
  const alarm = new Alarm(now);
  try {
    let next = lines.next();
    for (;;) {
      const result = await alarm.before(packer.deadline(), next);
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
  } finally {
    alarm.stop();
  }
}

/** Deadlines that move on with every few lines: a timer for each would cost more than the lines. */
class Alarm {
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** When it rings. */
  #at = 0;
  #ring: (() => void) | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  async before<T>(deadline: number | undefined, work: Promise<T>): Promise<T | 'late'> {
    if (deadline === undefined) return work;
    const late = new Promise<'late'>((resolve) => {
      this.#ring = () => {
        this.#timer = undefined;
        // The deadline has moved on since it was set.
        if (this.#now() < deadline) this.#set(deadline);
        else resolve('late');
      };
    });
    // One that rings earlier will be set again; one that would ring too late must not be waited for.
    if (this.#timer === undefined || this.#at > deadline) this.#set(deadline);
    return Promise.race([work, late]);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(at: number): void {
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => this.#ring?.(), Math.max(0, at - this.#now()));
  }
}
