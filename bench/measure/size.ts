/** What a byte of log costs on both machines' disks, and a line on the wire. */
import { Link } from '../../test/helpers/link.ts';
import type { InputFile } from '../input/logs.ts';
import { assembleChecked, bytesOnDisk, pipeFile } from '../machines/machine.ts';
import { closePair, openPair, SENDER } from '../machines/pair.ts';
import { messagesOf, untilDurable } from '../machines/progress.ts';
import { type Bench, type Figure, type Measurement, OURS } from '../measurement.ts';
import { withSandbox } from '../work/with-sandbox.ts';

export const size: Measurement = {
  name: 'size',
  // Bytes do not depend on how busy the machine is.
  contenders: (bench) => [{ name: OURS, isOnce: true, measure: () => measureAll(bench) }],
};

async function measureAll({ isShort, logs, logsAsTheyAre, inputs, lines }: Bench): Promise<Figure[]> {
  const figures = [await empty(), ...(await measure('all logs as they are', logsAsTheyAre))];
  if (isShort) return figures;
  for (const log of logs.all) figures.push(...(await measure(`${log.name} alone`, log)));
  figures.push(...(await measure('mixed lines', await inputs.get('mixed', lines))));
  figures.push(...(await measure('regular lines', await inputs.get('regular', lines))));
  return figures;
}

/** What a machine takes before its first line, which is most of what a small log takes. */
function empty(): Promise<Figure> {
  return withSandbox(async (box) => {
    const pair = await openPair(box, 'sqlite');
    await closePair(pair);
    const value = bytesOnDisk(pair.follower);
    return { metric: 'on disk, with no lines: follower', contender: OURS, unit: 'bytes', value };
  });
}

function measure(what: string, input: InputFile): Promise<Figure[]> {
  return withSandbox(async (box) => {
    let wire: Link | undefined;
    const { sender, follower } = await openPair(box, 'sqlite', async (port) => {
      wire = await Link.to(port);
      return wire.port;
    });
    const link = wire as Link;
    const bytesBefore = link.bytes;
    await pipeFile(sender, input);
    await untilDurable(follower, sender.id, messagesOf(sender, sender.id));
    const wireBytes = link.bytes - bytesBefore;
    await assembleChecked(follower, box.path('combined.log'), [input], SENDER);
    await closePair({ sender, follower });
    await link.close();
    const onDisk = (machine: string, bytes: number): Figure => ({
      metric: `on disk, ${what}: ${machine}`,
      contender: OURS,
      unit: 'of raw',
      value: bytes / input.bytes,
    });
    return [
      onDisk('sender', bytesOnDisk(sender)),
      onDisk('follower', bytesOnDisk(follower)),
      { metric: `on the wire, ${what}`, contender: OURS, unit: 'of raw', value: wireBytes / input.bytes },
      { metric: `on the wire for each line, ${what}`, contender: OURS, unit: 'bytes', value: wireBytes / input.lines },
    ];
  });
}
