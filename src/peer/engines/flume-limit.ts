/**
 * Keeps flume's log from its end: at 4 GiB it fails to write, and then to start. Long before, nothing more is written:
 * lines go to the spool, and what peers send is asked for again later.
 */
import { SsblogError } from '../../errors.ts';
import type { Callback, Hookable } from '../ssb/types.ts';

const GIB = 2 ** 30;

export const FLUME_LIMITS = { warnBytes: 3 * GIB, refuseBytes: 3.75 * GIB };

export interface FlumeLimitOptions {
  /** Bytes that flume's log has now. */
  readonly bytes: () => number;
  readonly limits: { readonly warnBytes: number; readonly refuseBytes: number };
  readonly notice: (text: string) => void;
}

type Write = (value: unknown, callback: Callback) => void;

interface Writable {
  readonly publish: unknown;
  readonly add: unknown;
}

export function limitFlume(peer: Writable, { bytes, limits, notice }: FlumeLimitOptions): void {
  let isWarned = false;
  const check = (): SsblogError | undefined => {
    const size = bytes();
    if (size < limits.warnBytes) return undefined;
    const failure = new SsblogError('store', `flume's log has ${gib(size)} GiB, and can hold no more than 4`, {
      hint: 'stop the daemon and take the feeds over into the store, which has no such limit: ssblog engine sqlite',
    });
    if (!isWarned) notice(`${failure.message}; ${failure.hint}`);
    isWarned = true;
    return size < limits.refuseBytes ? undefined : failure;
  };
  check();
  for (const write of [peer.publish, peer.add] as Hookable<Write>[]) {
    write.hook(function (original, args) {
      const failure = check();
      const [value, callback] = args as Parameters<Write>;
      if (failure === undefined) original.call(this, value, callback);
      else callback(failure);
    });
  }
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(2);
}
