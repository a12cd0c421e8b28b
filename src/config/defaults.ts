/** The defaults of a directory, which depend on what is in it. */
import { existsSync } from 'node:fs';
import { CONFIG_DEFAULTS, type Config } from './keys.ts';
import type { MachinePaths } from './paths.ts';

/** Feeds that flume keeps stay there until they are taken over by a command of their own. */
export function configDefaults(paths: MachinePaths): Partial<Config> {
  return existsSync(paths.flume) ? { ...CONFIG_DEFAULTS, engine: 'ssb-server' } : CONFIG_DEFAULTS;
}
