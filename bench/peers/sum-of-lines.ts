import { createHash } from 'node:crypto';
import { type TextsOptions, textsOf } from '../../test/helpers/hash-texts.ts';

/** A sum over all lines of a file in which their order does not matter. */
export async function sumOfLines(file: string, options?: TextsOptions): Promise<bigint> {
  const sum = new BigUint64Array(1); // it wraps
  for await (const texts of textsOf(file, options)) {
    for (const text of texts) {
      const digest = createHash('sha1').update(text).digest();
      sum[0] = (sum[0] as bigint) + digest.readBigUInt64LE();
    }
  }
  return sum[0] as bigint;
}
