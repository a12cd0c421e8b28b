/** A machine's settings, from flags, environment, `config.json` and defaults, in this order of weight. */
import { readFileSync, statSync } from 'node:fs';
import { SsblogError, systemCode } from '../errors.ts';
import { jsonErrorLine, keyLine } from './json-position.ts';
import { CONFIG_DEFAULTS, CONFIG_KEYS, type Config, type ConfigKey, environmentName, flagName } from './keys.ts';
import { type MachinePaths, machinePaths } from './paths.ts';
import { configSchema } from './schema.ts';

/** Where a value came from. */
type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Readonly<Partial<Record<ConfigKey, Origin>>>;
  readonly paths: MachinePaths;
}

export interface ConfigSources {
  /** Absolute path of the machine's directory. */
  readonly dir: string;
  readonly flags: Readonly<Partial<Record<ConfigKey, string>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * @throws SsblogError `no-machine` when the directory has no config.json, `config` when the file is broken
 *   or a value is wrong (naming the key, and the line or the flag it came from)
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const paths = machinePaths(sources.dir, sources.environment);
  const text = readConfigText(paths);
  const file = parseConfigText(text, paths.config);

  const values: Record<string, unknown> = {};
  const origins: Partial<Record<ConfigKey, Origin>> = {};
  const take = (key: ConfigKey, value: unknown, origin: Origin) => {
    if (value === undefined) return;
    values[key] = value;
    origins[key] = origin;
  };
  for (const key of CONFIG_KEYS) {
    take(key, (CONFIG_DEFAULTS as Partial<Config>)[key], 'default');
    take(key, file[key], 'file');
    take(key, sources.environment[environmentName(key)], 'environment');
    take(key, sources.flags[key], 'flag');
  }
  for (const key of Object.keys(file)) if (!(key in values)) values[key] = file[key];

  const result = configSchema.safeParse(values);
  if (result.success) return { config: result.data, origins, paths };
  const { issues } = result.error;
  // A mistyped key leaves another one missing: the typing error is what helps.
  throw wrongValue(issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0], origins, text, paths);
}

function readConfigText(paths: MachinePaths): string {
  try {
    return readFileSync(paths.config, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new SsblogError('no-machine', `${paths.dir} holds no machine`, { hint: noMachineHint(paths) });
    }
    throw new SsblogError('config', `cannot read ${paths.config}: ${code ?? String(error)}`, {
      hint: 'make it readable for you: chmod 600',
      cause: error,
    });
  }
}

function noMachineHint(paths: MachinePaths): string {
  const isDirectory = statSync(paths.dir, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isDirectory
    ? 'make one with: ssblog init (or name the right directory with --path or SSBLOG_PATH)'
    : 'make one with: ssblog init';
}

function parseConfigText(text: string, file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new SsblogError(
      'config',
      `${file}:${jsonErrorLine(text, error)}: not valid JSON: ${(error as Error).message}`,
      {
        hint: 'correct that line',
      },
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SsblogError('config', `${file}:1: must hold one JSON object`, { hint: 'correct the file' });
  }
  return parsed as Record<string, unknown>;
}

type Issue = { code?: string; path: PropertyKey[]; message: string; keys?: string[] } | undefined;

function wrongValue(
  issue: Issue,
  origins: Partial<Record<ConfigKey, Origin>>,
  text: string,
  paths: MachinePaths,
): SsblogError {
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys?.[0] ?? '';
    return new SsblogError('config', `${paths.config}:${keyLine(text, key)}: unknown key "${key}"`, {
      hint: `known keys: ${CONFIG_KEYS.join(', ')}, notify`,
    });
  }
  const key = String(issue?.path[0] ?? '') as ConfigKey;
  const reason = issue?.message ?? 'is wrong';
  switch (origins[key]) {
    case 'flag':
      return new SsblogError('usage', `${flagName(key)} ${reason}`);
    case 'environment':
      return new SsblogError('usage', `${environmentName(key)} ${reason}`);
    case 'file':
      return new SsblogError('config', `${paths.config}:${keyLine(text, key)}: "${key}" ${reason}`, {
        hint: 'correct that line',
      });
    case 'default':
      return new SsblogError('config', `"${key}", which is not set, ${reason}`, {
        hint: `set it in ${paths.config}, or by ${flagName(key)}`,
      });
    default:
      return new SsblogError('config', `${paths.config}:1: "${key}" is missing`, {
        hint: `add it, or set ${environmentName(key)}`,
      });
  }
}
