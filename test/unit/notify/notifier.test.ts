/** What one notifier tells, and when: the clock is a parameter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_DEFAULTS, type Config } from '../../../src/config/keys.ts';
import { type NotifierConfig, parseNotifiers } from '../../../src/config/notifiers.ts';
import type { Condition, EventName, Outlook } from '../../../src/notify/condition.ts';
import type { Entry } from '../../../src/notify/memory.ts';
import { FIRST_PAUSE_MS, Notifier, type Standing } from '../../../src/notify/notifier.ts';
import type { NotifierState } from '../../../src/notify/state-file.ts';

const START = new Date(2026, 10, 5, 12).getTime();
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function condition(key: string, event: EventName, episode = `${event} of ${key}`): Condition {
  return { key, event, episode, subject: { machine: { id: '@m', name: 'nas' }, job: key } };
}

/** One notifier on one machine; others say what they told in `told`. */
class Desk {
  now = START;
  bad: Condition[] = [];
  good: Condition[] = [];
  open: string[] = [];
  turn = 0;
  settledAt = 0;
  readonly toldByOthers = new Map<string, number>();
  /** Each message, as the things that it tells. */
  readonly sent: string[][] = [];
  fails = false;
  notifier: Notifier;

  constructor(settings: object = {}, state?: NotifierState) {
    const config: Config = { ...CONFIG_DEFAULTS, name: 'network', networkKey: '' };
    const [parsed] = parseNotifiers({ ...config, notify: [{ name: 'x', desktop: true, ...settings }] });
    this.notifier = new Notifier(parsed as NotifierConfig, async () => undefined, state);
  }

  /** @returns when it wants to look again */
  async look(): Promise<number | undefined> {
    const outlook: Outlook = { bad: this.bad, good: this.good, open: new Set(this.open) };
    const { turn, settledAt } = this;
    const standing: Standing = { turn, settledAt, toldByOthers: (episode) => this.toldByOthers.get(episode) };
    const next = this.notifier.round(outlook, standing, {
      now: () => this.now,
      deliver: async (entries: readonly Entry[]) => {
        if (this.fails) throw new Error('no network');
        this.sent.push(entries.map(({ event, key }) => `${event} ${key}`));
      },
      onTold: () => undefined,
      onDone: () => undefined,
    });
    await this.notifier.idle;
    return next;
  }

  async after(ms: number): Promise<void> {
    this.now += ms;
    await this.look();
  }

  /** The machine is started again. */
  restart(settings: object = {}): void {
    const desk = new Desk(settings, JSON.parse(JSON.stringify(this.notifier.state)) as NotifierState);
    this.notifier = desk.notifier;
  }
}

/** One that has been running: what comes from now on is news. */
async function running(settings: object = {}): Promise<Desk> {
  const desk = new Desk(settings);
  await desk.look();
  return desk;
}

test('an episode is told once, also after a restart; its end is told once', async () => {
  const desk = await running();
  desk.bad = [condition('home', 'failed')];
  await desk.look();
  await desk.after(HOUR_MS);
  desk.restart();
  await desk.after(48 * HOUR_MS);
  assert.deepEqual(desk.sent, [['failed home']]);
  [desk.bad, desk.good] = [[], [condition('home', 'recovered')]];
  await desk.after(1);
  await desk.after(1);
  desk.restart();
  await desk.after(1);
  assert.deepEqual(desk.sent, [['failed home'], ['recovered home']]);
});

test('another run that fails is another episode; a run under way is none, and is not the end of one', async () => {
  const desk = await running();
  desk.bad = [condition('home', 'failed', '1')];
  await desk.look();
  [desk.bad, desk.open] = [[], ['home']];
  await desk.after(1);
  [desk.bad, desk.open] = [[condition('home', 'failed', '2')], []];
  await desk.after(1);
  assert.deepEqual(desk.sent, [['failed home'], ['failed home']]);
  [desk.bad, desk.good] = [[], [condition('home', 'recovered')]];
  await desk.after(1);
  assert.deepEqual(desk.sent.at(-1), ['recovered home']);
});

test('what was never told to be wrong is not told to be well', async () => {
  const desk = await running();
  desk.good = [condition('home', 'recovered')];
  await desk.look();
  assert.deepEqual(desk.sent, []);
});

test('a job that is paused or forgotten is not told to be well', async () => {
  const desk = await running();
  desk.bad = [condition('home', 'failed')];
  await desk.look();
  desk.bad = [];
  await desk.after(1);
  desk.good = [condition('home', 'recovered')];
  await desk.after(1);
  assert.deepEqual(desk.sent, [['failed home']]);
});

test('it is repeated as configured, as long as it is so', async () => {
  const desk = await running({ repeat: '24h' });
  desk.bad = [condition('home', 'missing')];
  assert.equal(await desk.look(), undefined);
  assert.equal(await desk.look(), START + 24 * HOUR_MS, 'it looks again then');
  await desk.after(24 * HOUR_MS - 1);
  assert.equal(desk.sent.length, 1);
  await desk.after(1);
  await desk.after(23 * HOUR_MS);
  assert.equal(desk.sent.length, 2);
  [desk.bad, desk.open] = [[], ['home']];
  await desk.after(72 * HOUR_MS);
  assert.equal(desk.sent.length, 2, 'not while a run is under way, or the machine is away');
});

test('what is wrong when it is first configured is told as one', async () => {
  const desk = new Desk();
  desk.bad = [condition('home', 'failed'), condition('photos', 'missing')];
  await desk.look();
  assert.deepEqual(desk.sent, [['failed home', 'missing photos']]);
});

test('in quiet hours nothing is told; afterwards it is told as one, but for what is well again', async () => {
  const desk = new Desk({ quiet: '22:00-07:00' });
  desk.now = new Date(2026, 10, 5, 21).getTime();
  await desk.look();
  desk.now = new Date(2026, 10, 5, 23).getTime();
  desk.bad = ['a', 'b', 'c'].map((job) => condition(job, 'failed'));
  await desk.look();
  desk.restart({ quiet: '22:00-07:00' });
  desk.now = new Date(2026, 10, 6, 6, 59).getTime();
  desk.bad = desk.bad.slice(1);
  desk.good = [condition('a', 'recovered')];
  await desk.look();
  assert.deepEqual(desk.sent, []);
  desk.now = new Date(2026, 10, 6, 7).getTime();
  await desk.look();
  assert.deepEqual(desk.sent, [['failed b', 'failed c']]);
});

test('three at a time are told one by one, more as one; more than twenty in an hour wait for its end', async () => {
  const desk = await running();
  desk.bad = ['a', 'b', 'c'].map((job) => condition(job, 'failed'));
  await desk.look();
  assert.equal(desk.sent.length, 3);
  desk.bad = ['d', 'e', 'f', 'g'].map((job) => condition(job, 'failed'));
  await desk.after(1);
  assert.equal(desk.sent.length, 4);
  for (let run = 0; run < 50; run++) {
    desk.bad = [condition('often', 'failed', String(run))];
    await desk.after(MINUTE_MS / 2);
  }
  assert.equal(desk.sent.length, 20);
  await desk.after(HOUR_MS);
  assert.equal(desk.sent.length, 21, 'the last of them');
});

test('an attempt that fails is made again, later and later, with what is then so', async () => {
  const desk = await running();
  desk.bad = [condition('home', 'failed')];
  desk.fails = true;
  let pause = FIRST_PAUSE_MS;
  await desk.look();
  for (let attempt = 1; attempt <= 12; attempt++) {
    const { failures, nextTryAt, lastError, failingSince } = desk.notifier.state;
    assert.deepEqual([failures, lastError, failingSince], [attempt, 'no network', START]);
    assert.equal(nextTryAt, desk.now + pause);
    await desk.after(pause - 1);
    assert.equal(desk.notifier.state.failures, attempt);
    await desk.after(1);
    pause = Math.min(2 * pause, HOUR_MS);
  }
  desk.fails = false;
  desk.bad = [condition('home', 'failed', 'another'), condition('photos', 'missing')];
  await desk.after(HOUR_MS);
  assert.deepEqual(desk.sent, [['failed home'], ['missing photos']]);
  assert.deepEqual([desk.notifier.state.failures, desk.notifier.state.lastError], [0, null]);
});

test('a failed attempt is forgotten when there is nothing to tell any more', async () => {
  const desk = await running();
  desk.bad = [condition('home', 'failed')];
  desk.fails = true;
  await desk.look();
  [desk.bad, desk.good, desk.fails] = [[], [condition('home', 'recovered')], false];
  await desk.after(HOUR_MS);
  assert.deepEqual(desk.sent, []);
});

test('who has no turn waits for it, and tells what nobody else has told', async () => {
  const desk = await running({ to: 'anna', takeover: '5m' });
  desk.turn = 2;
  desk.bad = [condition('home', 'failed'), condition('photos', 'failed')];
  assert.equal(await desk.look(), START + 10 * MINUTE_MS);
  desk.toldByOthers.set('failed of home', START + 1);
  await desk.after(10 * MINUTE_MS - 1);
  assert.deepEqual(desk.sent, []);
  await desk.after(1);
  assert.deepEqual(desk.sent, [['failed photos']]);
  // Its end is told by whoever has the turn: who knows that it was told can tell it.
  desk.turn = 0;
  [desk.bad, desk.good] = [[], [condition('home', 'recovered')]];
  await desk.after(1);
  assert.deepEqual(desk.sent.at(-1), ['recovered home']);
});

test('what others tell may be on its way when a machine was away', async () => {
  const desk = await running({ to: 'anna' });
  desk.settledAt = START + MINUTE_MS;
  desk.bad = [condition('home', 'failed')];
  assert.equal(await desk.look(), START + MINUTE_MS);
  assert.deepEqual(desk.sent, []);
  desk.toldByOthers.set('failed of home', START - HOUR_MS);
  await desk.after(MINUTE_MS);
  assert.deepEqual(desk.sent, []);
});

test('repetitions count from when anybody told it last; a time in the future puts nothing off', async () => {
  const desk = await running({ to: 'anna', repeat: '1h' });
  desk.bad = [condition('home', 'failed')];
  desk.toldByOthers.set('failed of home', START + 30 * 24 * HOUR_MS);
  await desk.look();
  await desk.after(HOUR_MS - 1);
  assert.deepEqual(desk.sent, []);
  await desk.after(1);
  assert.deepEqual(desk.sent, [['failed home']]);
  desk.toldByOthers.set('failed of home', desk.now + 1000);
  desk.now += 1000;
  await desk.after(HOUR_MS - 1000);
  assert.equal(desk.sent.length, 1);
  await desk.after(1000);
  assert.equal(desk.sent.length, 2);
});

test('a clock that is set back by a year does not put off what is to be told', async () => {
  const desk = await running({ repeat: '1h' });
  desk.bad = [condition('home', 'failed')];
  desk.fails = true;
  await desk.look();
  desk.now -= 365 * 24 * HOUR_MS;
  await desk.look();
  desk.fails = false;
  await desk.after(HOUR_MS);
  assert.deepEqual(desk.sent, [['failed home']]);
});

test('lines that match are told once a run, until it may be repeated', async () => {
  const desk = await running();
  const match = (text: string): Condition => ({
    ...condition('run', 'match'),
    subject: { machine: { id: '@m', name: 'nas' }, lines: [text] },
  });
  desk.notifier.match(match('one'), desk.now);
  desk.notifier.match(match('two'), desk.now);
  await desk.look();
  desk.notifier.match(match('three'), desk.now);
  await desk.after(1);
  assert.deepEqual(desk.sent, [['match run']]);
  await desk.after(24 * HOUR_MS);
  desk.notifier.match(match('four'), desk.now);
  await desk.after(1);
  assert.equal(desk.sent.length, 2);
  assert.deepEqual(desk.notifier.state.entries[0]?.subject.lines, ['four']);
});

test('any number of jobs that a machine invents takes bounded memory', async () => {
  const desk = await running();
  desk.fails = true;
  desk.bad = Array.from({ length: 5000 }, (_, index) => condition(`job ${index}`, 'failed'));
  await desk.look();
  assert.equal(desk.notifier.state.entries.length, 2000);
  desk.fails = false;
  await desk.after(HOUR_MS);
  assert.deepEqual(
    desk.sent.map(({ length }) => length),
    [2000],
    'as one',
  );
});
