/** From a file on one machine to the second: durable there, and in the combined log there. And what that costs. */
import type { Kind } from '../input/inputs.ts';
import { assembleChecked, checkCombined, commandOf, pipeFile, prefixBytes } from '../machines/machine.ts';
import { closePair, openPair, type Pair, SENDER } from '../machines/pair.ts';
import { messagesOf, untilDurable } from '../machines/progress.ts';
import { type Contender, type Measurement, OURS, OURS_ON_FLUME } from '../measurement.ts';
import { combinedThere, durableThere, rate } from '../metrics.ts';
import { rsyslog } from '../peers/rsyslog.ts';
import { type Cost, costFigures, costOfProcess } from '../work/cost.ts';
import { spawnRedirected } from '../work/timed.ts';
import { untilSize } from '../work/until-size.ts';
import { withSandbox } from '../work/with-sandbox.ts';

const KINDS: readonly Kind[] = ['mixed', 'regular'];
const SHORT_KINDS: readonly Kind[] = ['mixed'];
const MARKER = 'the reader is there';

export const replicate: Measurement = {
  name: 'replicate',
  contenders: ({ isShort }) =>
    (isShort ? SHORT_KINDS : KINDS).flatMap((kind) => [
      throughDaemons(OURS, 'sqlite', kind),
      following(kind),
      rsyslog(kind),
      throughDaemons(OURS_ON_FLUME, 'ssb-server', kind),
    ]),
};

/** The lines are durable there, then `assemble` writes them. */
function throughDaemons(name: string, engine: string, kind: Kind): Contender {
  return {
    name,
    isPeer: engine !== 'sqlite',
    measure: ({ inputs, lines }) =>
      withSandbox(async (box) => {
        const input = await inputs.get(kind, lines);
        const pair = await openPair(box, engine);
        const before = costOf(pair);
        const started = performance.now();
        const piped = await pipeFile(pair.sender, input);
        await untilDurable(pair.follower, pair.sender.id, messagesOf(pair.sender, pair.sender.id));
        const durableMs = performance.now() - started;
        const after = costOf(pair);
        const assembled = await assembleChecked(pair.follower, box.path('combined.log'), [input], SENDER);
        await closePair(pair);
        const figures = [
          rate(durableThere(kind), name, lines, durableMs),
          rate(combinedThere(kind), `${name}, then assemble`, lines, durableMs + assembled.ms),
        ];
        if (kind !== 'mixed') return figures;
        const cpu = {
          pipe: piped.cpuSeconds,
          daemon: after.sender.cpuSeconds - before.sender.cpuSeconds,
          'second daemon': after.follower.cpuSeconds - before.follower.cpuSeconds,
        };
        const peak = {
          pipe: piped.peakBytes,
          daemon: after.sender.peakBytes,
          'second daemon': after.follower.peakBytes,
        };
        return [...figures, ...costFigures(name, lines, cpu, peak)];
      }),
  };
}

/** `log -f` on the second machine writes into a file while the lines come. */
function following(kind: Kind): Contender {
  const name = `${OURS}, log -f`;
  return {
    name,
    measure: ({ inputs, lines }) =>
      withSandbox(async (box) => {
        const input = await inputs.get(kind, lines);
        const { sender, follower } = await openPair(box, 'sqlite');
        const file = box.path('combined.log');
        const reader = spawnRedirected(box, commandOf(follower, ['log', '-f', '-n', '1']), { stdout: file });
        // As the only line so far it is printed whether it or the reader comes first.
        await sender.pipe(`${MARKER}\n`);
        const lead = prefixBytes(SENDER) + MARKER.length + 1;
        await untilSize(file, lead);
        const started = performance.now();
        await pipeFile(sender, input);
        await untilSize(file, lead + input.bytes + lines * prefixBytes(SENDER));
        const ms = performance.now() - started;
        reader.kill('SIGTERM');
        await reader.done();
        await closePair({ sender, follower });
        await checkCombined(file, [input], SENDER, 1);
        return [rate(combinedThere(kind), name, lines, ms)];
      }),
  };
}

function costOf({ sender, follower }: Pair): { sender: Cost; follower: Cost } {
  return { sender: costOfProcess(sender.daemon.pid), follower: costOfProcess(follower.daemon.pid) };
}
