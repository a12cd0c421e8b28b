/** One new line, when nothing else runs: from written into `pipe` until `log -f` on the other machine has printed it. */
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../test/helpers/random.ts';
import type { Running } from '../../test/helpers/running.ts';
import { closePair, openPair, SENDER } from '../machines/pair.ts';
import { type Bench, type Figure, type Measurement, OURS } from '../measurement.ts';
import { quantile } from '../report/statistics.ts';
import { untilPrinted } from '../work/timed.ts';
import { withSandbox } from '../work/with-sandbox.ts';

const LINES = 200;
const SHORT_LINES = 40;
/**
 * Between two lines: long enough for each to be sent alone. Lines are written at times that nothing else decides, as
 * those of a program are: who waited for one line to arrive before writing the next would keep step with the reader.
 */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 150;

export const latency: Measurement = {
  name: 'latency',
  contenders: (bench) => [{ name: OURS, measure: () => measure(bench) }],
};

async function measure({ isShort }: Bench): Promise<Figure[]> {
  const lines = isShort ? SHORT_LINES : LINES;
  const times = await withSandbox(async (box) => {
    const { sender, follower } = await openPair(box, 'sqlite');
    const reader = follower.spawn('log', '-f', '-n', '1');
    const pipe = sender.spawn('pipe');
    // As the only line so far it is printed whether it or the reader comes first.
    await pipe.write('the reader is there\n');
    await untilPrinted(reader, 'text', /the reader is there\n/);
    const arrivals = noteArrivals(reader, lines);
    const written = await writeSingly(pipe, lines);
    const arrived = await arrivals;
    pipe.endInput();
    const { code, stderr } = await pipe.done();
    if (code !== 0) throw new Error(`pipe ended with ${code}:\n${stderr}`);
    reader.kill('SIGTERM');
    const { text } = await reader.done();
    if (text.split('\n').length !== lines + 2) throw new Error(`log -f printed other lines than these:\n${text}`);
    await closePair({ sender, follower });
    return arrived.map((at, index) => at - (written[index] as number));
  });
  return [
    { metric: "one line → the other machine's log -f, p50", contender: OURS, unit: 'ms', value: quantile(times, 0.5) },
    { metric: "one line → the other machine's log -f, p99", contender: OURS, unit: 'ms', value: quantile(times, 0.99) },
  ];
}

/** @returns when each line was written */
async function writeSingly(pipe: Running, lines: number): Promise<number[]> {
  const random = seededRandom(lines);
  const written: number[] = [];
  for (let line = 1; line <= lines; line += 1) {
    await delay(MIN_PAUSE_MS + random.below(MAX_PAUSE_MS - MIN_PAUSE_MS));
    written.push(performance.now());
    await pipe.write(`one line, number ${line}\n`);
  }
  return written;
}

/** @returns when each line was there */
async function noteArrivals(reader: Running, lines: number): Promise<number[]> {
  const arrived: number[] = [];
  for (;;) {
    const { text, stderr } = reader.result;
    const now = performance.now();
    while (text.includes(`[${SENDER}] one line, number ${arrived.length + 1}\n`)) arrived.push(now);
    if (arrived.length >= lines) return arrived;
    if (reader.hasEnded) throw new Error(`log -f ended after ${arrived.length} of ${lines} lines:\n${stderr}`);
    await reader.nextOutput();
  }
}
