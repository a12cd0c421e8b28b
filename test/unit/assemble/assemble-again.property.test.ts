/** However lines arrive, and however often the log is assembled meanwhile: files are what a first call would write. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { assembleByDay } from '../../../src/assemble/by-day.ts';
import type { OutputName } from '../../../src/assemble/format.ts';
import type { LogFilter } from '../../../src/assemble/lines.ts';
import { assembleToFile } from '../../../src/assemble/to-file.ts';
import { encodeBlock } from '../../../src/message/block.ts';
import type { Content } from '../../../src/message/content.ts';
import { encodeLog } from '../../../src/message/log.ts';
import type { LogRecord } from '../../../src/message/record.ts';
import type { SignedMessage } from '../../../src/message/signed.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeFeed, freshDirectory, START_MS } from '../store/fake-feed.ts';

const HOUR_MS = 3_600_000;

/** What a machine writes, message by message. */
interface Machine {
  readonly startMs: number;
  readonly messages: readonly (readonly Line[])[];
  /** Whether its messages name no source, so that its own name is shown. */
  readonly isNameless: boolean;
}

interface Line {
  readonly step: number;
  readonly bytes: number;
  readonly more: boolean;
  readonly stream: 'stdout' | 'stderr' | undefined;
  readonly level: 'err' | 'info' | undefined;
}

const line: fc.Arbitrary<Line> = fc.record({
  step: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(2000), fc.nat(20 * HOUR_MS)),
  // Some files are so large that not all of one is written anew.
  bytes: fc.oneof({ weight: 5, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.constant(150_000) }),
  more: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  stream: fc.constantFrom(undefined, undefined, 'stdout' as const, 'stderr' as const),
  level: fc.constantFrom(undefined, 'err' as const, 'info' as const),
});

const machine: fc.Arbitrary<Machine> = fc.record({
  startMs: fc.oneof(
    fc.constant(START_MS),
    fc.nat(50 * HOUR_MS).map((ms) => START_MS + ms),
  ),
  messages: fc.array(fc.array(line, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
  isNameless: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

type Step =
  | { readonly does: 'arrive'; readonly machine: number; readonly messages: number }
  | { readonly does: 'assemble' }
  | { readonly does: 'change' | 'delete'; readonly file: number }
  | { readonly does: 'rename' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('arrive' as const),
      machine: fc.nat(2),
      messages: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ does: 'assemble' as const }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('change' as const, 'delete' as const), file: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant({ does: 'rename' as const }) },
);

const filters: readonly LogFilter[] = [
  {},
  { grep: [/[02468]x*$/] },
  { minLevel: 'err' },
  { sources: ['machine 1'] },
  { since: START_MS + HOUR_MS, until: START_MS + 40 * HOUR_MS },
];

function contents({ startMs, messages, isNameless }: Machine, name: string): Content[] {
  let at = startMs;
  let number = 0;
  return messages.map((lines) => {
    const records = lines.map(({ step: ms, bytes, ...rest }): LogRecord => {
      at += ms;
      number += 1;
      return { ...rest, line: number, at, bytes: Buffer.from(`${name} ${number}${'x'.repeat(bytes)}`) };
    });
    const [first] = records;
    const labels = { run: 'run', source: name };
    if (records.length > 1 || first === undefined || first.bytes.length > 1000) return encodeBlock(labels, records);
    const { source: _, ...content } = encodeLog(labels, first) as Content & { source: string };
    return isNameless ? (content as Content) : encodeLog(labels, first);
  });
}

class Scene {
  readonly store: Store;
  readonly dir: string;
  readonly #waiting: SignedMessage[][];
  #renamed = 0;

  constructor(t: TestContext, machines: readonly Machine[]) {
    this.dir = mkdtempSync(join(freshDirectory(t), 'scene-'));
    this.store = openStore(join(this.dir, 'store.db'));
    this.#waiting = machines.map((one, index) => {
      const feed = new FakeFeed(`feed ${index}`);
      return contents(one, `machine ${index}`).map((content) => feed.message(content));
    });
  }

  arrive(machineIndex: number, messages: number): void {
    this.store.ingest(this.#waiting[machineIndex]?.splice(0, messages) ?? []);
  }

  rename(): void {
    this.#renamed += 1;
  }

  nameOf = (feed: string): string => `${feed.slice(1, 4)} ${this.#renamed}`;

  written(): string[] {
    const days = existsSync(join(this.dir, 'days')) ? readdirSync(join(this.dir, 'days')) : [];
    return ['all', ...days.map((name) => join('days', name))].map((name) => join(this.dir, name)).filter(existsSync);
  }

  /** Assembles anew beside, and compares. */
  async check(filter: LogFilter, format: { output: OutputName; utc: boolean }): Promise<void> {
    const { store, dir } = this;
    const read = { nameOf: this.nameOf };
    const memory = { dir: join(dir, 'memory') };
    const again = await assembleToFile(store, filter, join(dir, 'all'), { format, read, memory });
    const fresh = await assembleToFile(store, filter, join(dir, 'fresh'), { format, read });
    assert.equal(again.lines, fresh.lines);
    assertSame(join(dir, 'all'), join(dir, 'fresh'));
    const unchanged = await assembleToFile(store, filter, join(dir, 'all'), { format, read, memory });
    assert.deepEqual([unchanged.lines, unchanged.isChanged], [fresh.lines, false]);

    const byDay = await assembleByDay(store, filter, join(dir, 'days'), { format, read, memory });
    const none = { dir: mkdtempSync(join(dir, 'forgetful-')) };
    const freshByDay = await assembleByDay(store, filter, join(dir, 'fresh-days'), {
      format,
      read,
      memory: none,
    });
    assert.deepEqual([byDay.lines, byDay.days], [fresh.lines, freshByDay.days]);
    const names = readdirSync(join(dir, 'fresh-days')).sort();
    assert.deepEqual(readdirSync(join(dir, 'days')).sort(), names);
    for (const name of names) assertSame(join(dir, 'days', name), join(dir, 'fresh-days', name));
    if (format.output !== 'csv')
      assertDaysAreAll(
        names.map((name) => join(dir, 'days', name)),
        join(dir, 'fresh'),
      );
    assert.equal((await assembleByDay(store, filter, join(dir, 'days'), { format, read, memory })).written, 0);
    rmSync(join(dir, 'fresh-days'), { recursive: true });
  }

  close(): void {
    this.store.close();
    rmSync(this.dir, { recursive: true });
  }
}

function assertSame(file: string, expected: string): void {
  assert.ok(readFileSync(file).equals(readFileSync(expected)), `${file} is not what it would be anew`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
}

function assertDaysAreAll(files: readonly string[], all: string): void {
  assert.ok(Buffer.concat(files.map((file) => readFileSync(file))).equals(readFileSync(all)), 'the days make up all');
}

test('assembled again and again, files are what they would be if they were written at once', async (t) => {
  const scenario = fc.record({
    machines: fc.array(machine, { minLength: 1, maxLength: 3 }),
    steps: fc.array(step, { minLength: 3, maxLength: 20 }),
    filter: fc.constantFrom(...filters),
    format: fc.record({ output: fc.constantFrom('text', 'text', 'json', 'csv'), utc: fc.boolean() }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ machines, steps, filter, format }) => {
      const scene = new Scene(t, machines);
      try {
        for (const one of [...steps, { does: 'assemble' } as const]) {
          if (one.does === 'arrive') scene.arrive(one.machine, one.messages);
          if (one.does === 'rename') scene.rename();
          if (one.does === 'assemble') await scene.check(filter, format);
          if (one.does !== 'change' && one.does !== 'delete') continue;
          const files = scene.written();
          const file = files[one.file % files.length];
          if (file === undefined) continue;
          if (one.does === 'delete') rmSync(file);
          else writeFileSync(file, 'changed by somebody', { flag: 'a' });
        }
      } finally {
        scene.close();
      }
    }),
    { numRuns: 30 },
  );
});
