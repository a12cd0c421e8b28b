/** Ships what a command writes and how it ended. Whatever goes wrong, the output is read to its end. */
import type { Output } from '../run/output.ts';
import { linesOf, type OutputLines } from '../run/output.ts';
import type { Watched } from '../run/watch.ts';
import type { Invocation } from './context.ts';
import type { ShipSettings } from './ship-options.ts';
import { openShipment, type RunEnd, type Shipment, type Summary } from './shipment.ts';

export interface RunningOutput {
  /** When the command started, in ms since the epoch. */
  readonly started: number;
  readonly output: Output;
  /** Settles when the output has ended too. */
  readonly ended: Promise<Watched>;
  readonly recordOf: (end: Watched) => RunEnd;
}

export interface ShippedOutput {
  readonly summary?: Summary;
  readonly failure?: unknown;
  readonly endedAt: number;
}

export async function shipOutput(
  call: Invocation,
  settings: ShipSettings,
  { started, output, ended, recordOf }: RunningOutput,
): Promise<ShippedOutput> {
  let endedAt = started;
  const timed = ended.then((end) => {
    endedAt = call.context.now();
    return end;
  });
  try {
    const shipment = await openShipment(call, settings, started);
    await shipment.start();
    await shipLines(shipment, linesOf(output.chunks()));
    await shipment.end(recordOf(await timed));
    return { summary: await shipment.finish(), endedAt };
  } catch (failure) {
    // The command must be able to write to its end.
    for await (const _chunk of output.chunks());
    await timed;
    return { failure, endedAt };
  }
}

/** One line in the log of a job that did not start. */
export async function shipSkipped(call: Invocation, settings: ShipSettings, text: string): Promise<void> {
  const now = call.context.now();
  const shipment = await openShipment(call, { ...settings, level: 'notice' }, now);
  const bytes = Buffer.from(text);
  const line = { bytes, ends: [bytes.length], at: now, more: false };
  await shipment.shipper.ship([...shipment.packer.add([line]), ...shipment.packer.flush()]);
  await shipment.finish();
}

async function shipLines({ packer, shipper, clock }: Shipment, lines: AsyncIterator<OutputLines>): Promise<void> {
  const { pumpLines } = await import('../writer/pump.ts');
  const packing = {
    add: ({ stream, lines }: OutputLines) => packer.add(lines, stream),
    flush: () => packer.flush(),
    deadline: () => packer.deadline(),
  };
  await pumpLines(lines, packing, shipper, clock);
}
