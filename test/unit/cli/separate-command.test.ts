import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { separateCommand } from '../../../src/cli/separate-command.ts';

const program = new Command('ssblog').option('--path <dir>').option('-v, --verbose');
program.command('run').option('-s, --source <source>').option('-q').option('--lock').argument('<command...>');
program.command('pipe').option('-s, --source <source>');

for (const [given, expected] of [
  ['run backup -v', 'run -- backup -v'],
  ['run -- backup -v', 'run -- backup -v'],
  ['run -s a backup -s b', 'run -s a -- backup -s b'],
  ['run -sa backup', 'run -sa -- backup'],
  ['run -qs a backup', 'run -qs a -- backup'],
  ['run --source=a --lock backup -- x', 'run --source=a --lock -- backup -- x'],
  ['--path run run --path x -v backup', '--path run run --path x -v -- backup'],
  ['run -s -- backup', 'run -s -- -- backup'],
  ['run', 'run'],
  ['run --lock', 'run --lock'],
  ['pipe run x', 'pipe run x'],
  ['', ''],
] as const) {
  test(`"${given}"`, () => {
    const words = given === '' ? [] : given.split(' ');
    assert.equal(separateCommand(program, words).join(' '), expected);
  });
}
