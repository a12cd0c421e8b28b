/** One run on its way: its labels, the packer and the shipper of its lines, and the records of its start and end. */
import { SsblogError } from '../errors.ts';
import type { LogRunContent } from '../message/content.ts';
import type { Level } from '../message/level.ts';
import type { RunLabels } from '../message/record.ts';
import type { Packer } from '../writer/pack.ts';
import type { Shipper } from '../writer/ship.ts';
import { type Invocation, loadMachine, note } from './context.ts';
import type { ShipSettings } from './ship-options.ts';
import { keepHeapSmall, optimizeLater } from './v8-flags.ts';

export interface Summary {
  readonly run: string;
  readonly lines: number;
  readonly published: number;
  readonly spooled: number;
}

export interface RunEnd {
  /** null: a signal ended it, or nobody knows. */
  readonly exit: number | null;
  /** The job did its work, though `exit` is not 0. */
  readonly ok?: true;
  readonly signal?: string;
  /** Why it has no exit code of its own: it then counts as failed. */
  readonly reason?: string;
}

export interface Shipment {
  readonly labels: RunLabels;
  readonly packer: Packer;
  readonly shipper: Shipper;
  /** The clock of the packer. */
  readonly clock: () => number;
  /** Posts the record of the run's start or end; nothing when it is no job's. */
  start(): Promise<void>;
  end(end: RunEnd): Promise<void>;
  /** @throws SsblogError `io` when lines are lost */
  finish(): Promise<Summary>;
}

/** @throws SsblogError when the machine cannot be used */
export async function openShipment(call: Invocation, settings: ShipSettings, started: number): Promise<Shipment> {
  const { context } = call;
  const access = await loadMachine(call);
  const [{ checkName }, { Packer }, { newRunId }, { Shipper }, spoolFile, { openControl }] = await Promise.all([
    import('./machine-names.ts'),
    import('../writer/pack.ts'),
    import('../writer/run-id.ts'),
    import('../writer/ship.ts'),
    import('../writer/spool-file.ts'),
    import('../peer/open-control.ts'),
  ]);
  const { destination, job, schedule } = settings;
  const labels: RunLabels = {
    run: newRunId(started),
    source: checkName('--source', settings.source ?? access.config.name),
    ...(destination !== undefined && { destination }),
    ...(job !== undefined && { job }),
  };
  const clock = () => performance.now();
  const packer = new Packer({ labels, level: settings.level, blocks: settings.blocks, now: clock });
  const shipper = new Shipper({
    openSink: () =>
      openControl(access).finally(() => {
        keepHeapSmall();
        optimizeLater();
      }),
    spool: spoolFile.createSpoolFile(access.paths.spool, labels.run),
    onSpool: (reason) => {
      context.stderr.write(
        `ssblog: ${(reason as Error).message}: the lines wait in ${access.paths.spool} for the daemon\n`,
      );
    },
    onCloseFailure: (error) => {
      context.stderr.write(`ssblog: the peer did not close in order: ${(error as Error).message}\n`);
    },
  });
  const post = async (content: Partial<LogRunContent>) => {
    if (job === undefined) return;
    await shipper.ship([{ type: 'log-run', ...labels, state: 'start', started, ...schedule, ...content }]);
  };
  return {
    labels,
    packer,
    shipper,
    clock,
    start: () => post({}),
    end: ({ exit, ok, signal, reason }) =>
      post({
        state: 'end',
        ended: context.now(),
        exit,
        ...(ok && { ok }),
        ...(signal !== undefined && { signal }),
        ...(reason !== undefined && { reason }),
        lines: packer.lines,
        levels: { ...packer.levelCounts } as Record<Level, number>,
      }),
    finish: async () => {
      const { spooled, dropped, failure } = await shipper.finish();
      if (failure !== undefined) throw lostLines(dropped, failure);
      return { run: labels.run, lines: packer.lines, published: packer.lines - spooled, spooled };
    },
  };
}

function lostLines(dropped: number, failure: unknown): SsblogError {
  return new SsblogError(
    'io',
    `${dropped} lines are lost, neither peer nor spool took them: ${(failure as Error).message}`,
    { hint: 'look at the disk and the rights of the directory', cause: failure },
  );
}

/** What `--verbose` says at the end. */
export function noteSummary(call: Invocation, { run, lines, spooled }: Summary): void {
  if (call.globals.verbose) note(call, `${lines} lines of run ${run}, ${spooled} of them in the spool`);
}
