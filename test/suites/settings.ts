/** What the process of a foreign test file is told, through its environment. */
const VARIABLE = 'SSBLOG_TEST_SUITE';

export interface SuiteSettings {
  /** What stands for ssb-db: this project's engine, or ssb-db itself. */
  readonly database: 'sqlite' | 'ssb-db';
  /** What stands for ssb-ebt: as it comes, or with this project's mends. */
  readonly ebt: 'stock' | 'mended';
  /** Ports for the peers that the file opens. */
  readonly ports: readonly number[];
  /** Names of tests to leave out. */
  readonly skip: readonly string[];
}

export function settingsVariable(settings: SuiteSettings): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(settings) };
}

export function readSettings(): SuiteSettings {
  return JSON.parse(process.env[VARIABLE] ?? '') as SuiteSettings;
}
