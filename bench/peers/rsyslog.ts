/** rsyslog: a file on the first machine into the combined log on the second, over plain TCP on loopback. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../test/helpers/free-port.ts';
import type { Running } from '../../test/helpers/running.ts';
import type { Sandbox } from '../../test/helpers/sandbox.ts';
import { waitFor } from '../../test/helpers/wait-for.ts';
import type { Kind } from '../input/inputs.ts';
import { prefixBytes } from '../machines/machine.ts';
import { SENDER } from '../machines/pair.ts';
import type { Contender } from '../measurement.ts';
import { combinedThere, durableThere, rate } from '../metrics.ts';
import { costFigures, costOfProcess } from '../work/cost.ts';
import { untilSize } from '../work/until-size.ts';
import { withSandbox } from '../work/with-sandbox.ts';
import { sumOfLines } from './sum-of-lines.ts';

const PLACES = ['/usr/sbin/rsyslogd', '/usr/local/sbin/rsyslogd'];
const NAME = 'rsyslog';

export function rsyslog(kind: Kind): Contender {
  return {
    name: NAME,
    isPeer: true,
    note: 'rsyslog over plain TCP, neither signed nor encrypted; durable means in its output file, which is not fsynced; lines in its queue are lost when it is killed, and come out of order when the queue goes to disk',
    missing: () =>
      program() === undefined ? 'rsyslogd is not installed (Debian: apt-get install rsyslog)' : undefined,
    measure: ({ inputs, lines }) =>
      withSandbox(async (box) => {
        const input = await inputs.get(kind, lines);
        const names = { BENCH_INPUT: box.path('input.log'), BENCH_OUTPUT: box.path('combined.log') };
        const env = { ...names, BENCH_PORT: String(await freePort()) };
        const receiver = start(box, 'receiver', env);
        await waitFor('rsyslog to listen', () => answers(Number(env.BENCH_PORT)), {
          detail: () => receiver.result.stderr,
        });
        const sender = start(box, 'sender', env);
        await waitFor('rsyslog to watch for its file', () => isWatching(sender.pid as number), {
          everyMs: 20,
          detail: () => sender.result.stderr,
        });
        const before = [costOfProcess(sender.pid), costOfProcess(receiver.pid)] as const;
        const started = performance.now();
        linkSync(input.file, env.BENCH_INPUT);
        await untilSize(env.BENCH_OUTPUT, input.bytes + lines * prefixBytes(SENDER));
        const ms = performance.now() - started;
        const after = [costOfProcess(sender.pid), costOfProcess(receiver.pid)] as const;
        await end(sender);
        await end(receiver);
        const got = await sumOfLines(env.BENCH_OUTPUT, { prefixBytes: prefixBytes(SENDER) });
        if (got !== (await sumOfLines(input.file))) throw new Error('rsyslog wrote other lines than it was given');
        const figures = [rate(durableThere(kind), NAME, lines, ms), rate(combinedThere(kind), NAME, lines, ms)];
        if (kind !== 'mixed') return figures;
        const cpu = {
          daemon: after[0].cpuSeconds - before[0].cpuSeconds,
          'second daemon': after[1].cpuSeconds - before[1].cpuSeconds,
        };
        const peak = { daemon: after[0].peakBytes, 'second daemon': after[1].peakBytes };
        return [...figures, ...costFigures(NAME, lines, cpu, peak)];
      }),
  };
}

function program(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

function start(box: Sandbox, role: 'sender' | 'receiver', env: Readonly<Record<string, string>>): Running {
  const spool = box.path(role);
  mkdirSync(spool);
  const config = join(import.meta.dirname, `rsyslog-${role}.conf`);
  const args = ['-n', '-f', config, '-i', join(spool, 'pid')];
  return box.spawn(program() as string, args, { ...env, BENCH_SPOOL: spool });
}

/** Whether inotify tells this process of new files. */
function isWatching(pid: number): boolean {
  const descriptors = `/proc/${pid}/fdinfo`;
  return readdirSync(descriptors).some((fd) => /^inotify wd:/m.test(readIfThere(join(descriptors, fd))));
}

/** A descriptor that was listed may be closed by now. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function end(daemon: Running): Promise<void> {
  daemon.kill('SIGTERM');
  const { code, stderr } = await daemon.done();
  if (code !== 0) throw new Error(`rsyslogd ended with ${code}:\n${stderr}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => socket.destroy()).once('error', () => resolve(false));
    socket.once('close', (hadError) => resolve(!hadError));
  });
}
