/** How far long work is: count, rate and time left, on a terminal only. */
import type { Invocation } from '../context.ts';
import { renderDuration } from './units.ts';

export interface Progress {
  update(done: number): void;
  /** Takes the line away; may be called twice. */
  end(): void;
}

/** Work that is done sooner shows nothing. */
const QUIET_MS = 500;
const EVERY_MS = 200;

/** @param total what there is to do at most, in `unit` */
export function showProgress({ context, globals }: Invocation, total: number, unit = 'lines'): Progress {
  const { stderr } = context;
  if (stderr.isTTY !== true || globals.quiet) return { update: () => undefined, end: () => undefined };
  const started = performance.now();
  let shown = started + QUIET_MS - EVERY_MS;
  let isShown = false;
  return {
    update(done) {
      const now = performance.now();
      if (now - shown < EVERY_MS) return;
      shown = now;
      isShown = true;
      const rate = done / ((now - started) / 1000);
      const left = done === 0 ? '' : `, ${renderDuration(((total - done) / rate) * 1000)} left at most`;
      stderr.write(`\r\x1b[K${done} ${unit}, ${Math.round(rate)} a second${left}`);
    },
    end() {
      if (isShown) stderr.write('\r\x1b[K');
      isShown = false;
    },
  };
}
