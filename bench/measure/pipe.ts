/** From stdin to durable: `ssblog pipe < FILE` into a daemon, and what else takes lines one way or another. */
import { Machine, randomNetworkKey } from '../../test/helpers/machine.ts';
import type { InputFile } from '../input/logs.ts';
import { assembleChecked, pipeFile, stopDaemon } from '../machines/machine.ts';
import { SENDER } from '../machines/pair.ts';
import { type Bench, type Contender, type Figure, type Measurement, OURS, OURS_ON_FLUME } from '../measurement.ts';
import { ONE_MESSAGE_A_LINE, rate, toDurable } from '../metrics.ts';
import { busyClientLoop, clientLoop } from '../peers/client-loop.ts';
import { oneProcessALine } from '../peers/one-process-a-line.ts';
import { ssbDb2 } from '../peers/ssb-db2.ts';
import { withSandbox } from '../work/with-sandbox.ts';

const AS_THEY_ARE = 'stdin → durable, the logs as they are';

/** One message a line is slow enough for fewer lines to show the rate. */
const MAX_SINGLE_LINES = 100_000;
const SHORT_SINGLE_LINES = 10_000;

export const pipe: Measurement = {
  name: 'pipe',
  contenders: (bench) => [
    ours(OURS, 'sqlite', async ({ inputs, lines, logsAsTheyAre }) => [
      [toDurable('mixed'), await inputs.get('mixed', lines)],
      [toDurable('regular'), await inputs.get('regular', lines)],
      [AS_THEY_ARE, logsAsTheyAre],
    ]),
    ours(OURS_ON_FLUME, 'ssb-server', async ({ inputs, lines }) => [
      [toDurable('mixed'), await inputs.get('mixed', lines)],
      [toDurable('regular'), await inputs.get('regular', lines)],
    ]),
    busyClientLoop([toDurable('mixed'), ONE_MESSAGE_A_LINE], bench.isShort ? 1_000 : 5_000),
    clientLoop([toDurable('mixed'), ONE_MESSAGE_A_LINE], bench.isShort ? 30 : 500),
    oneProcessALine(toDurable('mixed'), bench.isShort ? 3 : 100),
  ],
};

export const single: Measurement = {
  name: 'single',
  contenders: (bench) => {
    const lines = Math.min(bench.lines, bench.isShort ? SHORT_SINGLE_LINES : MAX_SINGLE_LINES);
    const input = async ({ inputs }: Bench): Promise<Work> => [[ONE_MESSAGE_A_LINE, await inputs.get('mixed', lines)]];
    return [
      ours(`${OURS} --no-blocks`, 'sqlite', input, ['--no-blocks']),
      ours(`${OURS_ON_FLUME} --no-blocks`, 'ssb-server', input, ['--no-blocks']),
      ssbDb2(ONE_MESSAGE_A_LINE, lines),
    ];
  },
};

type Work = readonly (readonly [metric: string, input: InputFile])[];

function ours(name: string, engine: string, workOf: (bench: Bench) => Promise<Work>, flags: string[] = []): Contender {
  return {
    name,
    isPeer: engine !== 'sqlite',
    measure: async (bench) => {
      const figures: Figure[] = [];
      for (const [metric, input] of await workOf(bench)) {
        const { ms } = await withSandbox(async (box) => {
          const machine = await Machine.make(box, SENDER, randomNetworkKey(), engine);
          await machine.start();
          const timed = await pipeFile(machine, input, flags);
          await stopDaemon(machine);
          await assembleChecked(machine, box.path('combined.log'), [input], SENDER);
          return timed;
        });
        figures.push(rate(metric, name, input.lines, ms));
      }
      return figures;
    },
  };
}
