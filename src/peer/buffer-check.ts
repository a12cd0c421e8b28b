/**
 * Old modules call `new Buffer`. At each of the first 10,000 calls Node looks through the stack whether it comes from
 * inside node_modules, in order to warn of others: 90 µs each, nearly a second of a busy daemon. It looks no longer once
 * it has warned; here it is made to, silently.
 */
import { runInThisContext } from 'node:vm';

export function endBufferCheck(): void {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    // The name under which it runs is in no node_modules, wherever ssblog is installed.
    runInThisContext('new Buffer(0)', { filename: 'buffer-check' });
  } finally {
    if (noDeprecation === undefined) delete process.noDeprecation;
    else process.noDeprecation = noDeprecation;
  }
}
