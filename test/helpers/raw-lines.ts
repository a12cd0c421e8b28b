/** Lines as the splitter gives them, and one by one. */
import type { RawLines } from '../../src/lines/split.ts';

interface Line {
  readonly bytes: Buffer;
  readonly at: number;
  readonly more: boolean;
}

/** Lines that were read at once. */
export function rawLines(texts: readonly (string | Buffer)[], at = 1000): RawLines {
  const bytes = Buffer.concat(texts.flatMap((text) => [Buffer.from(text as string), Buffer.from('\n')]));
  let end = -1;
  const ends = texts.map((text) => {
    end += Buffer.byteLength(text) + 1;
    return end;
  });
  return { bytes: bytes.subarray(0, -1), ends, at, more: false };
}

export function rawLine(text: string | Buffer, at = 1000, more = false): RawLines {
  return { ...rawLines([text], at), more };
}

export function eachLine(some: readonly RawLines[]): Line[] {
  return some.flatMap(({ bytes, ends, at, more }) =>
    ends.map((end, index) => ({ bytes: bytes.subarray(index === 0 ? 0 : (ends[index - 1] ?? 0) + 1, end), at, more })),
  );
}
