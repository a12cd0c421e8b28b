/** The tree of verbs. Importing it has no effect; what a verb needs is loaded when it runs. */
import { Command, Option } from 'commander';
import { CONFIG_HELP, CONFIG_KEYS, type ConfigKey, flagName } from '../config/keys.ts';
import { register as registerAssemble } from './commands/assemble.ts';
import { register as registerBlock } from './commands/block.ts';
import { register as registerCheck } from './commands/check.ts';
import { register as registerConfig } from './commands/config.ts';
import { register as registerConnect } from './commands/connect.ts';
import { register as registerDoctor } from './commands/doctor.ts';
import { register as registerEngine } from './commands/engine.ts';
import { register as registerFollow } from './commands/follow.ts';
import { register as registerInit } from './commands/init.ts';
import { register as registerInvite } from './commands/invite.ts';
import { register as registerJobs } from './commands/jobs.ts';
import { register as registerJoin } from './commands/join.ts';
import { register as registerLog } from './commands/log.ts';
import { register as registerMachines } from './commands/machines.ts';
import { register as registerNewIdentity } from './commands/new-identity.ts';
import { register as registerNotify } from './commands/notify.ts';
import { register as registerPipe } from './commands/pipe.ts';
import { register as registerRekey } from './commands/rekey.ts';
import { register as registerRun } from './commands/run.ts';
import { register as registerStart } from './commands/start.ts';
import { register as registerStatus } from './commands/status.ts';
import { register as registerStop } from './commands/stop.ts';
import { register as registerUnfollow } from './commands/unfollow.ts';
import { register as registerWhoami } from './commands/whoami.ts';
import { CONFIG_GROUP, type Context } from './context.ts';

const VERBS = [
  registerInit,
  registerInvite,
  registerJoin,
  registerStart,
  registerStop,
  registerStatus,
  registerWhoami,
  registerFollow,
  registerUnfollow,
  registerBlock,
  registerMachines,
  registerConnect,
  registerRekey,
  registerRun,
  registerPipe,
  registerLog,
  registerAssemble,
  registerJobs,
  registerCheck,
  registerNotify,
  registerDoctor,
  registerConfig,
  registerEngine,
  registerNewIdentity,
];

const EXIT_STATUS = `
Exit status: 0 done, 1 failed at run time, 2 usage or configuration, 129, 130 and 143
on SIGHUP, SIGINT and SIGTERM. "run" ends as its command does.
Every setting can also be given as SSBLOG_<KEY> in the environment; see: ssblog config`;

export function createProgram(context: Context, version: string): Command {
  const program = new Command('ssblog');
  program
    .description('Ships log lines between your machines over a private Secure Scuttlebutt network.')
    .usage('[options] <verb>')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help on ssblog or on a verb')
    .option('--path <dir>', 'directory of the machine (default: $SSBLOG_PATH, else ~/.ssblog)')
    .option('--json', 'machine-readable output, errors included')
    .option('-q, --quiet', 'no messages on stderr but errors')
    .option('-v, --verbose', 'more about what is done, and the stack of an error')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_STATUS)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: () => undefined, // main reports errors, in one form for all
    });
  for (const register of VERBS) register(program, context);
  for (const command of program.commands) addConfigFlags(command);
  return program;
}

/** Every verb takes the config keys as flags, but for names that it uses itself. */
function addConfigFlags(command: Command): void {
  const taken = new Set(command.options.map((option) => option.attributeName()));
  for (const key of CONFIG_KEYS) {
    if (taken.has(key)) continue;
    command.addOption(configOption(key));
  }
}

function configOption(key: ConfigKey): Option {
  const { value, text, isSwitch } = CONFIG_HELP[key];
  const taken = isSwitch ? `[${value}]` : `<${value}>`;
  return new Option(`${flagName(key)} ${taken}`, text).helpGroup(CONFIG_GROUP);
}
