/** Makes a machine: its directory, `config.json` and `secret`. Never overwrites anything. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { SsblogError } from '../errors.ts';
import { type Identity, readIdentity, writeNewIdentity } from './identity.ts';
import { CONFIG_DEFAULTS, type Config, type ConfigKey, type EngineName, flagName } from './keys.ts';
import { type MachinePaths, machinePaths } from './paths.ts';
import { configSchema } from './schema.ts';

export interface InitOptions {
  readonly dir: string;
  /** Values that were given; text as it came from the command line. */
  readonly values: Readonly<Partial<Record<ConfigKey, string>>>;
  /** The name when none is given. */
  readonly defaultName: string;
}

export interface InitResult {
  readonly config: Config;
  readonly identity: Identity;
  readonly paths: MachinePaths;
}

/**
 * A directory of a stock ssb-server (it has a `secret` and no `config.json`) keeps its secret and its feeds;
 * its network key must then be given.
 * @throws SsblogError `exists` when there is a machine, `usage` for a wrong value, `io` when the disk refuses
 */
export function initMachine(options: InitOptions): InitResult {
  const paths = machinePaths(options.dir);
  // The feeds of a stock ssb-server stay with its engine until the user wants them taken over.
  const config = initialConfig(options, existsSync(paths.flume) ? 'ssb-server' : CONFIG_DEFAULTS.engine);
  if (existsSync(paths.config)) {
    throw new SsblogError('exists', `${paths.dir} holds a machine already`, {
      hint: 'use it as it is, or name another directory with --path',
    });
  }
  const adopts = existsSync(paths.secret);
  if (adopts && options.values.networkKey === undefined) {
    throw new SsblogError('exists', `${paths.dir} holds an SSB identity already`, {
      hint: 'to use it with ssblog, give the key of its network: --network-key KEY (caps.shs in its config)',
    });
  }
  const undo: string[] = [];
  try {
    makeDirectory(paths.dir, undo);
    const identity = adopts ? readIdentity(paths) : writeNewIdentity(paths);
    if (!adopts) undo.push(paths.secret);
    // Whole or not at all: killed in between, the next call goes on with the secret.
    const beside = `${paths.config}.new`;
    writeFileSync(beside, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(beside, paths.config);
    return { config, identity, paths };
  } catch (error) {
    for (const made of undo.reverse()) rmSync(made, { recursive: true, force: true });
    if (error instanceof SsblogError) throw error;
    throw new SsblogError('io', `cannot make ${paths.dir}: ${(error as Error).message}`, {
      hint: 'name a directory that you may write with --path',
      cause: error,
    });
  }
}

function initialConfig(options: InitOptions, engine: EngineName): Config {
  const { values } = options;
  const result = configSchema.safeParse({
    ...CONFIG_DEFAULTS,
    engine,
    name: options.defaultName,
    networkKey: randomBytes(32).toString('base64'),
    ...values,
  });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SsblogError('usage', `${flagName(issue?.path[0] as ConfigKey)} ${issue?.message ?? 'is wrong'}`);
}

function makeDirectory(dir: string, undo: string[]): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    if (readdirSync(dir).length > 0 && !existsSync(machinePaths(dir).secret)) {
      throw new SsblogError('exists', `${dir} is not empty and holds no machine`, {
        hint: 'name a new or empty directory with --path',
      });
    }
    chmodSync(dir, 0o700);
    return;
  }
  if (found !== undefined) {
    throw new SsblogError('exists', `${dir} is not a directory`, { hint: 'name a new or empty directory with --path' });
  }
  const first = mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (first !== undefined) undo.push(first);
}
