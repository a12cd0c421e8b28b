/**
 * Says once that something fails, however often it is tried meanwhile, and once that it works again. On a disk that is
 * nearly full small commits work between large ones that fail: that is one episode.
 */

/** Without a failure for so long, it is over. */
const OVER_AFTER_MS = 10_000;

export class Episodes {
  readonly #notice: (text: string) => void;
  readonly #now: () => number;
  #lastFailureMs: number | undefined;

  /** @param now milliseconds of a clock that does not step back */
  constructor(notice: (text: string) => void, now: () => number = () => performance.now()) {
    this.#notice = notice;
    this.#now = now;
  }

  failure(text: string): void {
    if (this.#lastFailureMs === undefined) this.#notice(text);
    this.#lastFailureMs = this.#now();
  }

  success(): void {
    if (this.#lastFailureMs === undefined || this.#now() - this.#lastFailureMs < OVER_AFTER_MS) return;
    this.#lastFailureMs = undefined;
    this.#notice('messages are stored again');
  }
}
