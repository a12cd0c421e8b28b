/** A machine that is new follows one that has a long log: how fast it has all of it, durable. */
import { link, Machine } from '../../test/helpers/machine.ts';
import { assembleChecked, stopDaemon } from '../machines/machine.ts';
import { FOLLOWER } from '../machines/pair.ts';
import { messagesOf, untilDurable } from '../machines/progress.ts';
import { type Measurement, OURS } from '../measurement.ts';
import { rate } from '../metrics.ts';
import { withSandbox } from '../work/with-sandbox.ts';

export const catchUp: Measurement = {
  name: 'catch-up',
  contenders: ({ archives, lines }) => [
    {
      name: OURS,
      measure: () =>
        withSandbox(async (box) => {
          const archive = await archives.get(lines);
          const { machine, inputs } = archive;
          const follower = await Machine.make(box, FOLLOWER, machine.networkKey, 'sqlite');
          await machine.start();
          await follower.start();
          const started = performance.now();
          await link(follower, machine);
          await untilDurable(follower, machine.id, messagesOf(machine, machine.id));
          const ms = performance.now() - started;
          await assembleChecked(follower, box.path('combined.log'), inputs, machine.name);
          await stopDaemon(follower);
          await stopDaemon(machine);
          return [rate('catch-up of a new follower', OURS, archive.lines, ms)];
        }),
    },
  ],
};
