/** Run ids: ULIDs, so that they sort by the time at which the runs began. */
import { ulid } from 'ulid';

export function newRunId(now: number): string {
  return ulid(now);
}
