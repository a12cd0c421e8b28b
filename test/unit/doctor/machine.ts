/** A machine to examine, in a directory of its own, with a real store. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Identity } from '../../../src/config/identity.ts';
import { CONFIG_DEFAULTS } from '../../../src/config/keys.ts';
import { machinePaths } from '../../../src/config/paths.ts';
import type { ExamineOptions, Finding, Machine } from '../../../src/doctor/finding.ts';
import { openStore } from '../../../src/store/open.ts';
import { newKeys } from '../peer/engines/fixture.ts';
import { freshDirectory } from '../store/fake-feed.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 12);

export interface TestMachine extends Machine {
  readonly identity: Identity;
  readonly progress: [work: string, done: number, total: number][];
  readonly notices: string[];
}

export function freshMachine(
  t: TestContext,
  changes: Partial<Machine> = {},
  own: Partial<ExamineOptions> = {},
): TestMachine {
  const dir = freshDirectory(t);
  const temporaryDir = join(dir, 'tmp');
  mkdirSync(temporaryDir);
  const paths = machinePaths(join(dir, 'machine'));
  mkdirSync(paths.dir, { mode: 0o700 });
  const store = openStore(paths.store);
  t.after(() => store.close());
  const progress: TestMachine['progress'] = [];
  const notices: string[] = [];
  return {
    paths,
    config: {
      name: 'laptop',
      networkKey: Buffer.alloc(32).toString('base64'),
      ...{ ...CONFIG_DEFAULTS, host: '127.0.0.1', port: 1, lan: false },
    },
    daemon: { kind: 'none' },
    store,
    ...changes,
    identity: newKeys(),
    options: {
      thorough: false,
      now: () => NOW_MS,
      environment: {},
      temporaryDir,
      signal: new AbortController().signal,
      notice: (text) => notices.push(text),
      onProgress: (...step) => progress.push(step),
      ...own,
    },
    progress,
    notices,
  };
}

export function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code, severity }) => `${code} ${severity}`);
}

export function file(machine: Machine, name: string, content = ''): string {
  const path = join(machine.paths.dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
