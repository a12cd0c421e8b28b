/** Which engine a machine's config asks for. Loading an engine loads the whole SSB stack. */

import type { Identity } from '../../config/identity.ts';
import type { EngineName } from '../../config/keys.ts';
import type { MachinePaths } from '../../config/paths.ts';
import type { Engine } from './engine.ts';

export async function engineFor(name: EngineName, paths: MachinePaths, identity: Identity): Promise<Engine> {
  switch (name) {
    case 'sqlite': {
      const { sqliteEngine } = await import('./sqlite/engine.ts');
      return sqliteEngine(paths, identity);
    }
    case 'ssb-server': {
      const { ssbServerEngine } = await import('./ssb-server.ts');
      return ssbServerEngine(paths);
    }
  }
}
