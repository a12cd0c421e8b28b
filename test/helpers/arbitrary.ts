/** What lines, labels and times may be, for property tests. A failure prints the seed that shows it again. */
import fc from 'fast-check';
import { LEVELS } from '../../src/message/level.ts';
import { MAX_NAME_UNITS, MAX_RECORD_BYTES, MAX_RUN_UNITS } from '../../src/message/limits.ts';
import type { LogRecord, RunLabels } from '../../src/message/record.ts';

const LF = 0x0a;

/** Bytes of which many are newlines, carriage returns, halves of characters and other trouble. */
export function anyBytes(maxLength: number): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(LF, 0x0d, 0, 0x1b, 0xc3, 0xe2, 0xf0, 0x80, 0xff));
  const random = fc.array(byte, { maxLength, size: 'max' }).map((bytes) => Buffer.from(bytes));
  const text = fc.string({ unit: 'binary', maxLength }).map((string) => Buffer.from(string, 'utf8'));
  const long = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: maxLength }))
    .map(([pattern, length]) => Buffer.alloc(length, pattern));
  return fc.oneof(random, text, long);
}

/** The bytes of a line: anything but a newline. */
export function lineBytes(maxLength = MAX_RECORD_BYTES): fc.Arbitrary<Buffer> {
  return anyBytes(maxLength).map((bytes) => Buffer.from(bytes.map((byte) => (byte === LF ? 0x0b : byte))));
}

function name(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', minLength: 1, maxLength }).filter((text) => !text.includes('\0'));
}

/** Labels as a machine of ours may write them: no argument of a command holds a NUL. */
export const runLabels: fc.Arbitrary<RunLabels> = fc
  .record(
    { run: name(MAX_RUN_UNITS / 2), source: name(20), destination: name(20), job: name(MAX_NAME_UNITS / 2) },
    { requiredKeys: ['run', 'source'] },
  )
  .map(({ run, source, destination, job }) => ({
    run,
    source,
    ...(destination !== undefined && { destination }),
    ...(job !== undefined && { job }),
  }));

/** Records of one run, numbered without gaps, whose times do not go back. */
export function runRecords(maxLength: number, maxBytes: number): fc.Arbitrary<LogRecord[]> {
  const record = fc.record({
    step: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(1e9)),
    bytes: lineBytes(maxBytes),
    level: fc.option(fc.constantFrom(...LEVELS), { nil: undefined }),
    stream: fc.option(fc.constantFrom('stdout' as const, 'stderr' as const), { nil: undefined }),
    more: fc.boolean(),
  });
  const start = fc.record({ line: fc.integer({ min: 1, max: 1e12 }), at: fc.nat(2 ** 31 - 1).map((at) => at * 1000) });
  return fc.tuple(start, fc.array(record, { minLength: 1, maxLength })).map(([{ line, at: first }, parts]) => {
    let at = first;
    return parts.map(({ step, ...rest }, index) => {
      at += step;
      return { ...rest, line: line + index, at };
    });
  });
}
