/**
 * The test files that ssb-db and ssb-ebt bring with them, unchanged, on this project's engine in place of ssb-db and on
 * its follow graph in place of ssb-friends; those of ssb-ebt also with its mends of ssb-ebt. Every file is run, or
 * listed here with the reason why it is not.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { freePort } from '../helpers/free-port.ts';
import { PROJECT, sandbox } from '../helpers/sandbox.ts';
import { type SuiteSettings, settingsVariable } from '../suites/settings.ts';

interface FileRule {
  /** Why the file is not run. */
  readonly leftOut?: string;
  /** Tests in it that are not run, and why. */
  readonly skip?: Readonly<Record<string, string>>;
  /** What the file prints when all is well, where it checks nothing by itself. */
  readonly prints?: RegExp;
}

interface Suite {
  readonly package: string;
  readonly ebt: readonly SuiteSettings['ebt'][];
  /** Files that are not tests. */
  readonly tools: readonly string[];
  /** Files that are run from the first to the last test need no rule. */
  readonly rules: Readonly<Record<string, FileRule>>;
}

const FLUME_ALONE = "flume's log alone, without a database";

const SUITES: readonly Suite[] = [
  {
    package: 'ssb-db',
    ebt: ['stock'],
    tools: ['util'],
    rules: {
      'append.js': {
        skip: {
          'append (setup)': FLUME_ALONE,
          'append (generate)': FLUME_ALONE,
          'append (loads)': FLUME_ALONE,
          'append (read back)': FLUME_ALONE,
        },
      },
      'box-unbox.js': { leftOut: 'private messages' },
      'create-sequence-stream.js': { leftOut: "expects the offsets in bytes of flume's log" },
      'del.js': { leftOut: 'del' },
      'links-types.js': { leftOut: 'links' },
      'links.js': { leftOut: 'links' },
      'rebuild.js': { leftOut: 'rebuild, and views of flume; one of its tests also asks for ssb-tribes' },
      'unbox-with-cache.js': { leftOut: 'private messages' },
    },
  },
  {
    package: 'ssb-ebt',
    ebt: ['stock', 'mended'],
    tools: ['util.js'],
    // On ssb-db itself block2.js fails: there a peer is told of its own message after the callback of `publish`.
    rules: {
      'generate.js': { prints: /^PASSED$/m },
      'index.js': { prints: /^CONSISTENT!!!$/m },
      'resync.js': { prints: /^close\.\.\.$/m },
      'simple.js_': { leftOut: 'put away by its authors' },
    },
  },
];

/** To see what fails on ssb-db itself: SSBLOG_TEST_DATABASE=ssb-db */
const DATABASE = process.env.SSBLOG_TEST_DATABASE === 'ssb-db' ? 'ssb-db' : 'sqlite';
/** More than any file opens peers. */
const PORTS = 16;
const DEADLINE_MS = 120_000;

for (const suite of SUITES) {
  const dir = join(PROJECT, 'node_modules', suite.package, 'test');
  const files = readdirSync(dir).filter((file) => !suite.tools.includes(file));

  test(`every rule for the tests of ${suite.package} is about a file that is there`, () => {
    for (const name of [...suite.tools, ...Object.keys(suite.rules)]) assert.ok(readdirSync(dir).includes(name), name);
  });

  for (const ebt of suite.ebt) {
    // They wait most of the time.
    describe(`${suite.package}${ebt === 'mended' ? ' with mends' : ''}`, { concurrency: 4 }, () => {
      for (const file of files) {
        const rule = suite.rules[file] ?? {};
        test(file, { skip: rule.leftOut ?? false }, (t) => runFile(t, join(dir, file), ebt, rule));
      }
    });
  }
}

async function runFile(t: TestContext, path: string, ebt: SuiteSettings['ebt'], rule: FileRule): Promise<void> {
  const box = sandbox(t);
  const skip = Object.keys(rule.skip ?? {});
  const ports: number[] = [];
  for (let count = 0; count < PORTS; count++) ports.push(await freePort());
  const preload = join(PROJECT, 'test', 'suites', 'preload.ts');
  const imports = ['--import', join(PROJECT, 'node_modules', 'tsx', 'dist', 'loader.mjs'), '--import', preload];
  const result = await box.run(process.execPath, [...imports, path], {
    env: { ...settingsVariable({ database: DATABASE, ebt, ports, skip }), TMPDIR: box.dir },
    deadlineMs: DEADLINE_MS,
  });
  const said = `${result.text.slice(-5000)}\n${result.stderr}`;
  assert.equal(result.code, 0, said);
  for (const name of skip) assert.ok(result.text.includes(`# SKIP ${name}`), `there is no test "${name}" in ${path}`);
  if (rule.prints === undefined) assert.match(result.text, /^# pass {2}[1-9]/m, said);
  else assert.match(result.text, rule.prints, said);
}
