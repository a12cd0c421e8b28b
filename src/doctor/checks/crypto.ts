/** Whether signing is done by native code: without it, everything is a hundred times slower, and nothing else is wrong. */
import { createRequire } from 'node:module';
import type { Finding, Machine } from '../finding.ts';

export function checkCrypto({ options }: Machine): Finding[] {
  const reason = options.environment.CHLORIDE_JS ? 'CHLORIDE_JS is set' : nativeProblem();
  if (reason === undefined) return [];
  return [
    {
      code: 'crypto-slow',
      severity: 'info',
      message: `signatures are made and verified in JavaScript, which is slow: sodium-native is not available (${reason})`,
      hint: 'use a system that it is built for (64 bits), or leave it: few lines a second are no trouble',
    },
  ];
}

/** As chloride looks for it. */
function nativeProblem(): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    createRequire(require.resolve('chloride'))('sodium-native');
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n', 1)[0] ?? 'it cannot be loaded';
  }
}
