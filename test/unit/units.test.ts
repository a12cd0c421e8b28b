/** The files that hand the daemon to systemd and launchd, judged by systemd's and Python's own parsers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const PROJECT = join(import.meta.dirname, '..', '..');
const UNIT = join(PROJECT, 'units', 'ssblog.service');
const PLIST = join(PROJECT, 'launchd', 'org.ssblog.daemon.plist');

function isMissing(command: string, ...args: string[]): string | false {
  return spawnSync(command, args).status === 0 ? false : `there is no ${command} here`;
}

const noSystemd = isMissing('systemd-analyze', '--version');
const noPlistlib = isMissing('python3', '-c', 'import plistlib');

for (const manager of ['--system', '--user']) {
  test(`systemd (${manager}) finds nothing to complain about in the unit`, { skip: noSystemd }, () => {
    const runtime = mkdtempSync(join(tmpdir(), 'ssblog-units-'));
    try {
      const result = spawnSync('systemd-analyze', [manager, '--man=no', 'verify', UNIT], {
        encoding: 'utf8',
        env: { ...process.env, XDG_RUNTIME_DIR: runtime },
      });
      assert.equal(result.status, 0, result.stderr);
      assert.equal(result.stderr, '', 'a warning counts too');
    } finally {
      rmSync(runtime, { recursive: true, force: true });
    }
  });
}

test('the unit starts the daemon, waits for its notification, and does not repeat a wrong configuration', () => {
  const lines = readFileSync(UNIT, 'utf8').split('\n');
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'ExecStart=/usr/bin/env ssblog start',
    'Restart=on-failure',
    'RestartPreventExitStatus=2',
    'WantedBy=default.target',
  ]) {
    assert.ok(lines.includes(line), `${line} is missing`);
  }
});

test('the plist parses, and starts the daemon at login and after a failure', { skip: noPlistlib }, () => {
  const script = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
  const result = spawnSync('python3', ['-c', script, PLIST], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  const plist = JSON.parse(result.stdout) as Record<string, unknown>;
  assert.equal(plist.Label, 'org.ssblog.daemon', 'launchd wants the label to be the name of the file');
  assert.deepEqual(plist.ProgramArguments, ['/usr/bin/env', 'ssblog', 'start']);
  assert.equal(plist.RunAtLoad, true);
  assert.deepEqual(plist.KeepAlive, { SuccessfulExit: false });
});
