/** The samples of the Loghub collection, which are no part of the project: tests that use them skip where they are missing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env.SSBLOG_TEST_LOGS ?? '/work/shared/logs';

export const LOGHUB_FILES = ['Apache', 'HDFS', 'HealthApp', 'Linux', 'Mac', 'OpenSSH', 'Proxifier'] as const;

/** For a test's `skip`. */
export const loghubMissing: string | false = !existsSync(FOLDER) && `${FOLDER} is missing`;

export function readLoghub(name: (typeof LOGHUB_FILES)[number]): Buffer {
  return readFileSync(join(FOLDER, `${name}.log`));
}
