/** Input of a size and a kind that nobody expects goes through in bounded memory, byte for byte. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { asLines, assertSameBytes, textColumn } from '../helpers/log-text.ts';
import { countLines, link, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MEGABYTE = 1e6;
const CHUNK_BYTES = 1 << 20;

/** The most memory that a process has had; 0 when it is gone. */
function peakBytes(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) return 0;
    throw error;
  }
}

/** Pipes `input` in. @returns the most memory that it took */
async function pipeMeasured(machine: Machine, input: Buffer, source: string): Promise<number> {
  const pipe = machine.spawn('pipe', '--source', source);
  let peak = 0;
  for (let start = 0; start < input.length; start += CHUNK_BYTES) {
    await pipe.write(input.subarray(start, start + CHUNK_BYTES));
    peak = Math.max(peak, peakBytes(pipe.pid));
  }
  pipe.endInput();
  const { code, stderr } = await pipe.done(120_000);
  assert.deepEqual([code, stderr], [0, '']);
  return peak;
}

const INPUTS: Readonly<Record<string, { input: () => Buffer; maxAssembleBytes: number }>> = {
  'a line of 50 MB with every byte, then another': {
    input: () => {
      const pattern = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a));
      return Buffer.concat([Buffer.alloc(50 * MEGABYTE, pattern), Buffer.from('\nafter\n')]);
    },
    // A line is given out whole up to 64 MB: it is read, joined and formatted.
    maxAssembleBytes: 450 * MEGABYTE,
  },
  'a million lines, the last one without an end': {
    input: () => {
      const line = (index: number) =>
        `${index % 7 === 0 ? '\x1b[31m' : ''}line ${index}${index % 11 === 0 ? '\r' : ''}`;
      return Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => line(index)).join('\n'));
    },
    maxAssembleBytes: 250 * MEGABYTE,
  },
  'progress bars: 5 MB of carriage returns and no newline': {
    input: () => Buffer.from('\r 42 % [====>    ] \x1b[K'.repeat(250_000)),
    maxAssembleBytes: 250 * MEGABYTE,
  },
};

test('huge input comes out as it went in, in bounded memory', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  let number = 0;
  for (const [what, { input, maxAssembleBytes }] of Object.entries(INPUTS)) {
    await t.test(what, async (t) => {
      const source = `huge-${++number}`;
      const bytes = input();
      const pipeBytes = await pipeMeasured(laptop, bytes, source);
      assert.ok(pipeBytes > 0 && pipeBytes < 250 * MEGABYTE, `pipe took ${pipeBytes} bytes`);
      const expected = asLines(bytes);
      const { messages } = await laptop.status();
      await waitFor('all messages to be replicated', async () => (await nas.status()).messages >= messages, {
        everyMs: 250,
        deadlineMs: 120_000,
        detail: () => nas.said,
      });
      const file = nas.box.path(`${source}.log`);
      const assemble = nas.spawn('assemble', '--source', source, '-o', file);
      let assembleBytes = 0;
      await waitFor(
        'assemble to end',
        () => {
          assembleBytes = Math.max(assembleBytes, peakBytes(assemble.pid));
          return assemble.hasEnded;
        },
        { everyMs: 10, deadlineMs: 120_000 },
      );
      assert.equal((await assemble.exit).code, 0, assemble.result.stderr);
      assertSameBytes(textColumn(readFileSync(file), { source }), expected, what);
      assert.ok(assembleBytes < maxAssembleBytes, `assemble took ${assembleBytes} bytes`);
      for (const machine of [laptop, nas]) {
        const daemonBytes = peakBytes(machine.daemon.pid);
        assert.ok(daemonBytes < 300 * MEGABYTE, `the daemon of ${machine.name} took ${daemonBytes} bytes`);
        t.diagnostic(`${machine.name}: ${Math.round(daemonBytes / MEGABYTE)} MB`);
      }
      t.diagnostic(`pipe ${Math.round(pipeBytes / MEGABYTE)} MB, assemble ${Math.round(assembleBytes / MEGABYTE)} MB`);
      assert.equal(countLines(readFileSync(file)), countLines(expected));
    });
  }
});
