/** What a hold says to people. */
import { type Hold, type HoldReason, isForGood, readOwnFeedState } from './state-file.ts';

const CAUSE: Readonly<Record<HoldReason, string>> = {
  copied: 'its directory is a copy, or was put back from one',
  mark: 'it had come further than this directory has it',
  crash: 'the computer stopped without warning',
  salvaged: 'its record was damaged',
  behind: 'another machine holds later messages of it',
  cloned: 'ANOTHER MACHINE WRITES IT TOO, with the same identity',
  forked: 'IT HAS FORKED: two machines used one identity, or an old copy of the directory was used',
};

const NEXT_STEP = 'to write without waiting, when no other machine has more of it: ssblog start --no-catch-up';
const NEW_IDENTITY =
  'stop the other one and restart this with: ssblog start --no-catch-up; or give this one an identity of its own: ssblog new-identity';

const WAY_OUT: Readonly<Record<HoldReason, string>> = {
  copied: NEXT_STEP,
  mark: NEXT_STEP,
  crash: NEXT_STEP,
  salvaged: NEXT_STEP,
  behind: 'it goes on when that machine has been met; see: ssblog status',
  cloned: NEW_IDENTITY,
  forked:
    'what is written here does not reach everybody any more; give this machine a new identity: ssblog new-identity',
};

export interface DescribedHold {
  readonly reason: HoldReason;
  readonly sinceMs: number;
  readonly message: string;
  readonly hint: string;
}

export function describeHold(hold: Hold): DescribedHold {
  return { reason: hold.reason, sinceMs: hold.sinceMs, message: holdText(hold), hint: WAY_OUT[hold.reason] };
}

/** @returns why a machine at rest would not write its feed; null when it would */
export function readHold(file: string): DescribedHold | null {
  const { hold } = readOwnFeedState(file);
  return hold === undefined ? null : describeHold(hold);
}

/** One line. */
export function holdText({ reason, detail }: Hold): string {
  const seen = detail === undefined ? '' : ` (${detail})`;
  const until =
    reason === 'cloned'
      ? 'it is off the network, and lines wait in the spool'
      : isForGood(reason)
        ? 'lines wait in the spool'
        : 'lines wait in the spool until its messages are fetched';
  return `this machine does not write its feed: ${CAUSE[reason]}${seen}; ${until}`;
}
