/** Times as the log shows them. */

const SECOND_MS = 1000;

/**
 * `2026-11-22 03:00:01`, in local time or UTC. Neighbouring lines are mostly of the same second, so the last one's text
 * is kept. Offsets from UTC are whole seconds: within one of them the text stays the same, also when clocks change.
 */
export class Clock {
  readonly #utc: boolean;
  #second = Number.NaN;
  #text = '';

  constructor({ utc }: { utc: boolean }) {
    this.#utc = utc;
  }

  /** @param at milliseconds since the epoch */
  text(at: number): string {
    const second = Math.floor(at / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = this.#format(new Date(at));
    }
    return this.#text;
  }

  #format(date: Date): string {
    if (this.#utc) return date.toISOString().slice(0, 19).replace('T', ' ');
    const day = `${digits(date.getFullYear(), 4)}-${digits(date.getMonth() + 1)}-${digits(date.getDate())}`;
    return `${day} ${digits(date.getHours())}:${digits(date.getMinutes())}:${digits(date.getSeconds())}`;
  }
}

function digits(value: number, count = 2): string {
  return String(value).padStart(count, '0');
}
