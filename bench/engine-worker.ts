/** One measurement of one engine, in a process of its own; prints its figure as the last line. */
import { mkdirSync } from 'node:fs';
import { writeNewIdentity } from '../src/config/identity.ts';
import { CONFIG_DEFAULTS, type Config, type EngineName } from '../src/config/keys.ts';
import { machinePaths } from '../src/config/paths.ts';
import type { Content } from '../src/message/content.ts';
import type { SignedValue } from '../src/message/signed.ts';
import { endBufferCheck } from '../src/peer/buffer-check.ts';
import { engineFor } from '../src/peer/engines/index.ts';
import { encode, messageId, sign } from '../src/peer/engines/sqlite/classic.ts';
import { openPeer } from '../src/peer/peer.ts';
import { promised } from '../src/peer/pull.ts';
import { prepareTraffic } from '../src/peer/traffic.ts';

/** What the daemon's writer hands over at a time. */
const GROUP_MESSAGES = 128;
/** Messages of another feed that wait for their callback: what EBT has under way. */
const WINDOW_MESSAGES = 256;

const [kind, engineName, dir, count, bytes] = process.argv.slice(2) as [string, EngineName, string, string, string];
const total = Number(count);
const text = Array.from({ length: Number(bytes) }, (_, index) => 'abcdefghij klmnopqrst uvwxyz'[(index * 7) % 28]).join(
  '',
);
mkdirSync(dir, { recursive: true, mode: 0o700 });
const paths = machinePaths(dir, { HOME: dir });
const identity = writeNewIdentity(paths);
const config: Config = {
  ...CONFIG_DEFAULTS,
  name: 'bench',
  networkKey: Buffer.alloc(32, 1).toString('base64'),
  port: 1,
  lan: false,
  engine: engineName,
  access: 'members',
};
const notice = (line: string) => process.stderr.write(`${line}\n`);

const contentOf = (index: number): Content => ({ type: 'log', source: 'bench', text: `${index} ${text}` });

async function withEngine<T>(work: (feeds: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<T> {
  const opened = await open();
  try {
    return await work(opened);
  } finally {
    await opened.feeds.close();
    await promised<unknown>((callback) => opened.peer.close(callback));
    opened.store.close();
  }
}

async function open() {
  // As every peer does.
  endBufferCheck();
  prepareTraffic();
  const engine = await engineFor(engineName, paths, identity);
  const store = engine.openStore(notice);
  const peer = engine.stack(store)({
    path: dir,
    keys: identity,
    caps: { shs: config.networkKey },
    connections: { incoming: {}, outgoing: {} },
  });
  return {
    store,
    peer,
    feeds: await engine.open({
      peer,
      store,
      notice,
      fatal: (error) => {
        throw error;
      },
    }),
  };
}

async function publishAll(publish: (contents: Content[]) => Promise<void>): Promise<void> {
  for (let index = 0; index < total; index += GROUP_MESSAGES) {
    const length = Math.min(GROUP_MESSAGES, total - index);
    await publish(Array.from({ length }, (_, offset) => contentOf(index + offset)));
  }
}

/** A feed that somebody else has signed. */
function foreignFeed(): SignedValue[] {
  const keys = writeNewIdentity({ ...paths, secret: `${dir}/other` });
  const values: SignedValue[] = [];
  let previous: string | null = null;
  for (let sequence = 1; sequence <= total; sequence += 1) {
    const unsigned = {
      previous,
      sequence,
      author: keys.id,
      timestamp: sequence,
      hash: 'sha256' as const,
      content: contentOf(sequence),
    };
    const signed = sign(unsigned, encode(unsigned), keys);
    previous = messageId(signed.text);
    values.push(signed.value);
  }
  return values;
}

async function perSecond(work: () => Promise<void>): Promise<string> {
  const before = performance.now();
  await work();
  return (total / ((performance.now() - before) / 1000)).toFixed(1);
}

async function measure(): Promise<string> {
  switch (kind) {
    case 'made':
      return withEngine(({ feeds }) =>
        perSecond(() => publishAll(async (contents) => (await feeds.publish(contents)).durable)),
      );
    case 'stored':
      return withEngine(({ peer }) => {
        const values = foreignFeed();
        return perSecond(async () => {
          for (let index = 0; index < total; index += WINDOW_MESSAGES) {
            const window = values.slice(index, index + WINDOW_MESSAGES);
            await Promise.all(window.map((value) => promised<unknown>((callback) => peer.add(value, callback))));
          }
        });
      });
    case 'start': {
      await withEngine(({ feeds }) => publishAll(async (contents) => (await feeds.publish(contents)).durable));
      const before = performance.now();
      const peer = await openPeer({ config, identity, paths, network: false, notice });
      const ms = Math.round(performance.now() - before);
      await peer.close();
      return JSON.stringify([total, ms]);
    }
    default:
      throw new Error(`no measurement: ${kind}`);
  }
}

const figure = await measure();
process.stdout.write(`${figure}\n`, () => process.exit());
