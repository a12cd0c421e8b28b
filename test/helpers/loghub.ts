/** The samples of the Loghub collection, which are no part of the project: tests that use them skip where they are missing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './sandbox.ts';

/** Beside the project; or wherever `SSBLOG_TEST_LOGS` says. */
export const LOGHUB_FOLDER = process.env.SSBLOG_TEST_LOGS ?? join(PROJECT, '..', 'shared', 'logs');

export const LOGHUB_FILES = ['Apache', 'HDFS', 'HealthApp', 'Linux', 'Mac', 'OpenSSH', 'Proxifier'] as const;

/** For a test's `skip`. */
export const loghubMissing: string | false = !existsSync(LOGHUB_FOLDER) && `${LOGHUB_FOLDER} is missing`;

export function readLoghub(name: (typeof LOGHUB_FILES)[number]): Buffer {
  return readFileSync(join(LOGHUB_FOLDER, `${name}.log`));
}
