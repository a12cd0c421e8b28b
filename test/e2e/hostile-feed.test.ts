/** A machine that is followed, and signs whatever it likes: the log of the others comes out whole, in order, in time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { addAll, HandmadeFeed, type SignedByHand } from '../helpers/hostile.ts';
import { assertSameBytes } from '../helpers/log-text.ts';
import { befriend, type LogEntry, link, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

const NOW = Date.now();
const FAR_FUTURE_MS = 253_402_300_799_999;

/** Values that no field should have, or that look like what it should have. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  -1e308,
  2 ** 53,
  FAR_FUTURE_MS + 1,
  '',
  'NaN',
  'Infinity',
  '-1',
  '\u001b[2J\u001b]0;owned\u0007\r\n2026-11-22 03:00:01 [laptop] forged',
  '\ud800\u202e\u0000',
  '__proto__',
  'x'.repeat(4000),
  [],
  [null, 1e308],
  {},
  { toString: null, length: 1e9 },
];

/** A block whose data is made by hand: what it says of itself may be wrong. */
function block(fields: object, header: unknown, records: readonly string[]): object {
  const payload = `${JSON.stringify(header)}\n${records.map((record) => `${record}\n`).join('')}`;
  const data = deflateRawSync(Buffer.from(payload), { level: 9 }).toString('base64');
  const honest = { run: 'r', line: 1, lines: records.length, at: [NOW, NOW], encoding: 'deflate-raw', data };
  return { type: 'log-block', ...honest, ...fields };
}

const HONEST: Readonly<Record<string, object>> = {
  log: {
    text: 't',
    source: 's',
    destination: 'd',
    job: 'j',
    at: NOW,
    run: 'r',
    line: 1,
    level: 'err',
    stream: 'stdout',
  },
  'log-block': { source: 's', destination: 'd', job: 'j', level: 'err', ...block({}, {}, ['a', 'b']) },
  'log-run': { run: 'r', state: 'end', started: NOW, ended: NOW, exit: 0, signal: null, lines: 1, levels: { err: 1 } },
  'log-job': { feed: `@${'A'.repeat(43)}=.ed25519`, source: 's', destination: 'd', job: 'j', state: 'paused', at: NOW },
  contact: { contact: `@${'A'.repeat(43)}=.ed25519`, following: true, blocking: false },
  about: { about: `@${'A'.repeat(43)}=.ed25519`, name: 'n' },
};
const OPTIONAL = {
  log: ['raw', 'more'],
  'log-run': ['source', 'job', 'every', 'cron', 'tz', 'grace', 'reason'],
  'log-job': ['until'],
} as const;

/** Every field of every type with every odd value, alone. */
function* oddFields(): Generator<unknown> {
  for (const [type, content] of Object.entries(HONEST)) {
    const optional = OPTIONAL[type as keyof typeof OPTIONAL] ?? [];
    for (const field of [...Object.keys(content), ...optional])
      for (const value of ODD_VALUES) yield { ...content, type, [field]: value };
  }
}

function* lyingBlocks(run: string): Generator<unknown> {
  const bomb = deflateRawSync(Buffer.alloc(5_000_000), { level: 9 }).toString('base64');
  yield { ...block({ run }, {}, ['a']), data: bomb };
  yield { ...block({ run }, {}, ['a']), data: `${bomb.slice(0, 300)}` };
  yield { ...block({ run, lines: 16_384 }, {}, Array<string>(16_384).fill('')) };
  for (const lines of [1, 3, 16_384, 1e15]) yield block({ run, lines }, {}, ['a', 'b']);
  for (const line of [2 ** 53 - 1, 2 ** 52, 0, -5]) yield block({ run, line }, {}, ['a', 'b']);
  for (const at of [[0, FAR_FUTURE_MS], [NOW, 0], [1e308, 1e308], [NOW + 0.5, NOW + 0.5], [NOW]])
    yield block({ run, at }, { times: [1, FAR_FUTURE_MS - NOW, 1] }, ['a', 'b']);
  for (const header of [null, [], { times: [0, 1, 2] }, { times: [1, -1, 1] }, { more: [0, 0] }, { more: [5] }])
    yield block({ run }, header, ['a', 'b']);
  for (const header of [{ levels: '012' }, { streams: 'x' }, { more: [0, 1] }, { times: [1, 1e308, 1] }])
    yield block({ run, line: 100 }, header, ['a', 'b']);
  yield { ...block({ run }, {}, ['a']), data: '' };
  yield { ...block({ run }, {}, ['a']), data: '!!!!' };
}

/** The victim's own run id, with its line numbers and others. */
function* theft(run: string): Generator<unknown> {
  for (const line of [1, 2, 3, 1000, 1e15]) {
    yield { type: 'log', text: 'stolen', source: 'laptop', job: 'nightly', run, line, at: NOW };
    yield { type: 'log', text: 'open', source: 'laptop', job: 'nightly', run, line: line + 10, at: NOW, more: true };
    yield block({ run, line, source: 'laptop', job: 'nightly' }, {}, ['stolen', 'stolen']);
  }
  for (const state of ['start', 'end'])
    for (const started of [0, 0.5, FAR_FUTURE_MS])
      yield { type: 'log-run', run, state, started, job: 'nightly', exit: 1 };
}

function* explosion(): Generator<unknown> {
  for (let index = 0; index < 10_000; index += 1) {
    const text = `explosion ${index}`;
    yield {
      type: 'log',
      text,
      source: `s${index}`,
      destination: `d${index}`,
      job: `j${index}`,
      run: `r${index}`,
      line: 1,
    };
  }
}

function* others(victim: string): Generator<unknown> {
  for (const type of ['zzz', '__proto__', 'constructor', 'toString', 'log-blocks', 'LOG'])
    yield { type, text: 'other' };
  yield `${Buffer.alloc(300, 7).toString('base64')}.box`;
  yield [{ type: 'log', text: 'in an array' }];
  for (const name of ['laptop', 'nas', '\u001b[2J', '\n', '../../etc', '__proto__', 'x'.repeat(200)]) {
    yield { type: 'about', about: victim, name };
    yield { type: 'about', about: `@${'B'.repeat(43)}=.ed25519`, name };
  }
  yield { type: 'contact', contact: victim, blocking: true };
  for (let index = 0; index < 300; index += 1) {
    const key = Buffer.alloc(32, index % 256)
      .fill(index >> 8, 0, 1)
      .toString('base64');
    yield { type: 'contact', contact: `@${key}.ed25519`, following: true, blocking: index % 3 === 0 };
  }
}

const TIMESTAMPS = [0, -1, 0.5, -1e308, 1e308, Number.MAX_VALUE, 5e-324, FAR_FUTURE_MS, FAR_FUTURE_MS + 1, NOW + 0.25];

function* signedBy(feed: HandmadeFeed, victim: { id: string; run: string }): Generator<SignedByHand> {
  yield feed.sign({ type: 'about', about: feed.id, name: 'mallory' });
  for (const timestamp of TIMESTAMPS) yield feed.sign({ type: 'log', text: `at ${timestamp}` }, timestamp);
  for (const content of oddFields()) yield* signed(feed, content);
  for (const run of ['r', victim.run]) for (const content of lyingBlocks(run)) yield* signed(feed, content);
  for (const contents of [theft(victim.run), others(victim.id), explosion()])
    for (const content of contents) yield* signed(feed, content);
  yield feed.sign({ type: 'about', about: feed.id, name: 'laptop' });
  for (let line = 1; line < 3000; line += 1)
    yield feed.sign({ type: 'log', text: 'for ever', run: 'endless', line, more: true, at: NOW });
}

/** What SSB itself takes for no message cannot be signed. */
function* signed(feed: HandmadeFeed, content: unknown): Generator<SignedByHand> {
  const { type } = content as { type?: unknown };
  const isMessage = typeof content === 'string' || (typeof type === 'string' && type.length >= 3 && type.length <= 52);
  if (isMessage && JSON.stringify(content, null, 2).length < 7500) yield feed.sign(content);
}

/** The most memory that a process has had, in bytes. */
function peakBytes(pid: number | undefined): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

const own = (entries: readonly LogEntry[], { id }: Machine) => entries.filter(({ feed }) => feed === id);

test('a followed machine that signs anything at all harms nobody', async (t) => {
  const [laptop, nas, mallory] = await network(t, 'laptop', 'nas', 'mallory');
  await startAll(laptop, nas, mallory);
  await befriend(nas, laptop);
  const input = Array.from({ length: 2000 }, (_, index) => `${index} genuine ${'x'.repeat(index % 90)}\n`).join('');
  const flags = ['--source', 'laptop', '--job', 'nightly', '--json'];
  const { run } = JSON.parse((await laptop.pipe(`${'long '.repeat(5000)}\n${input}`, ...flags)).text) as {
    run: string;
  };
  await nas.pipe('1 here\n2 here\n');
  await nas.waitForLog(2003);
  const genuine = await laptop.entries('--machine', laptop.id);

  await nas.must('follow', laptop.id, '--name', 'laptop');

  const feed = new HandmadeFeed();
  await mallory.must('follow', feed.id);
  await nas.must('follow', feed.id);
  await link(nas, mallory);
  const messages = [...signedBy(feed, { id: laptop.id, run })];
  await addAll(mallory, messages);
  await waitFor(
    'the whole feed',
    async () =>
      (await nas.json<{ id: string; lines: number }[]>('machines')).some(({ id }) => id === feed.id) &&
      (await nas.status()).messages >= messages.length + 5,
    { everyMs: 500, deadlineMs: 120_000, detail: () => nas.said },
  );

  await t.test('the lines of the others come out all, unchanged and in order', async () => {
    const entries = await nas.entries();
    assert.deepEqual(own(entries, laptop), genuine);
    assert.deepEqual(
      own(entries, nas).map(({ text }) => text),
      ['1 here', '2 here'],
    );
    assert.ok(own(entries, mallory).length === 0);
    const times = entries.map(({ at }) => Number(at));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    const texts = new Set(entries.map(({ text }) => text));
    for (let index = 0; index < 10_000; index += 1) assert.ok(texts.has(`explosion ${index}`));
    for (const timestamp of TIMESTAMPS) assert.ok(texts.has(`at ${timestamp}`));
  });

  await t.test('in whatever way they are asked for', async () => {
    assert.deepEqual(await nas.entries('--machine', laptop.id), genuine);
    assert.deepEqual(own(await nas.entries('--run', run), laptop), genuine);
    assert.deepEqual(own(await nas.entries('--job', 'nightly', '--source', 'laptop'), laptop), genuine);
    const [first, last] = [genuine[0], genuine.at(-1)].map((entry) => new Date(Number(entry?.at)).toISOString());
    assert.deepEqual(own(await nas.entries('--since', `${first}`, '--until', `${last}`), laptop), genuine);
    assert.deepEqual(await nas.entries('--machine', laptop.id, '-n', '100'), genuine.slice(-100));
    assert.deepEqual(own(await nas.entries('--grep', 'genuine'), laptop), genuine.slice(1));
  });

  await t.test('in the files that assemble writes, which are what log prints', async () => {
    const file = nas.box.path('combined.log');
    await nas.must('assemble', '-o', file, '--utc');
    assertSameBytes(readFileSync(file), (await nas.must('log', '--utc')).stdout, 'assemble and log');
  });

  await t.test('a line is live for who follows', async () => {
    const follow = nas.spawn('log', '-f', '--machine', laptop.id);
    await follow.waitForOutput('text', /1999 genuine/);
    await laptop.pipe('live\n');
    await follow.waitForOutput('text', /live\n/);
    follow.kill('SIGINT');
    await follow.done();
  });

  await t.test('a name that it takes is not taken from who has it', async () => {
    const machines = await nas.json<{ id: string; name: string | null }[]>('machines');
    assert.equal(machines.find(({ id }) => id === laptop.id)?.name, 'laptop');
    assert.equal(machines.find(({ id }) => id === feed.id)?.name, null);
    assert.deepEqual(await nas.entries('--machine', 'laptop'), [
      ...genuine,
      ...(await nas.entries('--grep', '^live$')),
    ]);
    const { text } = await nas.must('machines');
    assert.ok(!text.includes('\x1b'));
  });

  await t.test('its runs and its wishes are its own: a job of another machine is as it was', async () => {
    const jobs = await nas.json<{ feed: string; job: string; state: string; run: string }[]>('jobs');
    const [nightly, ...more] = jobs.filter((job) => job.feed === laptop.id);
    assert.deepEqual([nightly?.state, nightly?.run, more], ['ok', run, []]);
    assert.ok(jobs.some((job) => job.feed === feed.id));
    const last = await nas.entries('--job', 'nightly', '--machine', laptop.id, '--run', 'last');
    assert.deepEqual(last, genuine);
    assert.equal((await nas.run('check', '--job', 'nightly', '--machine', 'laptop')).code, 0);
    const { code, text } = await nas.run('check');
    assert.equal(code, 1);
    assert.ok(!text.includes('\x1b'));
  });

  await t.test('the daemon is up, in bounded memory', async () => {
    assert.ok(peakBytes(nas.daemon.pid) < 300_000_000, `${peakBytes(nas.daemon.pid)} bytes`);
    assert.equal((await nas.status()).daemon.running, true);
    assert.equal(await nas.stop(), 0);
  });
});
