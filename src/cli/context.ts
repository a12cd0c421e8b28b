/** What a verb may use of the process: streams, environment, clock, the signal that ends it. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import { CONFIG_KEYS, type ConfigKey } from '../config/keys.ts';
import type { ConfigSources, LoadedConfig } from '../config/load.ts';
import { SsblogError } from '../errors.ts';
import type { MachineAccess } from '../peer/open-control.ts';

export interface Context {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Aborted by SIGHUP, SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** What new files were not to be before this process made its own for its owner alone: for commands that it starts. */
  readonly umask: number;
  /**
   * For a verb that passes signals on to another process: they then do not end this one.
   * @returns what gives them back
   */
  readonly takeSignals: (handle: (signal: NodeJS.Signals) => void) => () => void;
  /** For a verb whose exit code is its answer; without it, 0, or 128 and the number of the signal that came. */
  readonly setExitCode: (code: number) => void;
  /** For a verb that has more to do than to print: a closed stdout then does not end the process. */
  readonly stayWithoutStdout: () => void;
}

export interface GlobalOptions {
  readonly path?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
}

/** A verb's view of the process, after its flags were read. */
export interface Invocation {
  readonly context: Context;
  readonly globals: GlobalOptions;
  /** Absolute path of the machine's directory. */
  readonly dir: string;
  readonly flags: ConfigSources['flags'];
}

export function invocation(
  context: Context,
  command: Command,
  environment: Context['environment'] = context.environment,
): Invocation {
  const options = command.optsWithGlobals<GlobalOptions & Record<string, unknown>>();
  const flags: Partial<Record<ConfigKey, string>> = {};
  for (const key of CONFIG_KEYS) {
    // A flag of the same name that means something else in a verb (`follow --name`) is not among its config flags.
    const option = command.options.find((candidate) => candidate.attributeName() === key);
    const value = options[key] === true ? 'true' : options[key]; // a switch alone
    if (option?.helpGroupHeading === CONFIG_GROUP && typeof value === 'string') flags[key] = value;
  }
  return { context, globals: options, dir: machineDirectory(environment, options.path), flags };
}

/** Heading in `--help` under which the flags of the config keys stand. */
export const CONFIG_GROUP = 'Configuration:';

function machineDirectory(environment: Context['environment'], flag: string | undefined): string {
  const given = flag ?? environment.SSBLOG_PATH;
  if (given === '') throw new SsblogError('usage', '--path and SSBLOG_PATH must not be empty');
  return resolve(given ?? `${environment.HOME || homedir()}/.ssblog`);
}

export async function loadMachineConfig({ dir, flags, context }: Invocation): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig({ dir, flags, environment: context.environment });
}

/** Config and identity of the machine. @throws SsblogError when either is missing or broken */
export async function loadMachine(call: Invocation): Promise<MachineAccess> {
  const { config, paths } = await loadMachineConfig(call);
  const { readIdentity } = await import('../config/identity.ts');
  return { config, paths, identity: readIdentity(paths), notice: (text) => note(call, text) };
}

/** One line on stderr, unless `--quiet`. */
export function note({ context, globals }: Invocation, text: string): void {
  if (!globals.quiet) context.stderr.write(`ssblog: ${text}\n`);
}

/** The answer of a verb: as JSON with `--json`, else as text. */
export function answer({ context, globals }: Invocation, json: unknown, text: string): void {
  context.stdout.write(globals.json ? `${JSON.stringify(json)}\n` : text);
}
