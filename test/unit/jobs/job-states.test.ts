/** The states of all jobs in a store: whose they are, what is known of their machines, and at what cost. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type JobState, type JobStatesOptions, jobStates } from '../../../src/jobs/job-states.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';
import { DAY, HOUR, MINUTE, START } from './fake-run.ts';

const LABELS = { source: 'laptop', destination: 'nas', job: 'nightly' };

interface Changes {
  readonly run?: string;
  readonly started?: number;
  readonly [key: string]: unknown;
}

/** A good run of ten minutes, told at its end. */
function ended({ started = START, ...changes }: Changes = {}): object {
  const times = { started, ended: started + 10 * MINUTE };
  const run = `run-${started}`;
  return { type: 'log-run', run, ...LABELS, state: 'end', ...times, exit: 0, signal: null, lines: 3, ...changes };
}

function machines(t: TestContext) {
  const [self, laptop, other] = [new FakeFeed('self'), new FakeFeed('laptop'), new FakeFeed('other')];
  const store = freshStore(t);
  store.ingest([self.message({ type: 'contact', contact: laptop.id, following: true })]);
  const states = (now: number, options: Partial<JobStatesOptions> = {}) =>
    jobStates(store, { self: self.id, now, ...options });
  return { self, laptop, other, store, states };
}

function told(states: readonly JobState[]): string[] {
  return states.map(({ machine, job, state }) => `${machine.slice(0, 6)} ${job} ${state}`);
}

test('a job is shown with its last run, what is usual, and when it is due', (t) => {
  const { laptop, store, states } = machines(t);
  store.ingest([
    laptop.message({ type: 'about', about: laptop.id, name: 'laptop' }),
    laptop.message(ended({ started: START - DAY, every: '24h', grace: '2h' }), START - DAY),
    laptop.message(ended({ exit: 3, levels: { err: 2 }, ended: START + HOUR }), START + HOUR),
  ]);
  assert.deepEqual(states(START + 2 * HOUR), [
    {
      ...{ feed: laptop.id, machine: 'laptop', source: 'laptop', destination: 'nas', job: 'nightly', state: 'failed' },
      ...{ run: `run-${START}`, started: START, ended: START + HOUR, exit: 3, signal: null, reason: null },
      ...{ result: 'failed', durationMs: HOUR, lines: 3, levels: { err: 2 }, usualMs: 10 * MINUTE },
      ...{ lastOk: START - DAY, nextDue: START + DAY, deadline: START + DAY + 2 * HOUR },
      ...{ stuckFrom: null, every: '24h', cron: null, tz: null, grace: '2h' },
      ...{ heardAt: START + HOUR, clockOffsetMs: 0, pausedBy: null },
      recent: [
        { run: `run-${START - DAY}`, started: START - DAY, result: 'ok', durationMs: 10 * MINUTE },
        { run: `run-${START}`, started: START, result: 'failed', durationMs: HOUR },
      ],
    },
  ]);
});

test('a run by hand without a schedule does not end that of its job; another schedule does', (t) => {
  const { laptop, store, states } = machines(t);
  store.ingest([laptop.message(ended({ every: '24h' })), laptop.message(ended({ started: START + HOUR }))]);
  assert.equal(states(START + 2 * HOUR)[0]?.nextDue, START + HOUR + DAY);
  store.ingest([laptop.message(ended({ started: START + 2 * HOUR, cron: '0 3 * * *', tz: 'UTC' }))]);
  const [job] = states(START + 3 * HOUR);
  assert.deepEqual([job?.every, job?.cron, job?.nextDue], [null, '0 3 * * *', START + DAY]);
});

test('a run whose code was given as good is one, with its own exit code', (t) => {
  const { laptop, store, states } = machines(t);
  store.ingest([laptop.message(ended({ exit: 1, ok: true, levels: { warning: 1 } }))]);
  const [job] = states(START + HOUR);
  assert.deepEqual([job?.state, job?.exit, job?.lastOk, job?.usualMs], ['ok', 1, START, 10 * MINUTE]);
  store.ingest([laptop.message(ended({ started: START + HOUR, exit: 1, ok: 'yes' }))]);
  assert.deepEqual([states(START + 2 * HOUR)[0]?.state, states(START + 2 * HOUR)[0]?.lastOk], ['failed', START]);
});

test('jobs of the same names on two machines are two, and so are two destinations; lines without a job are none', (t) => {
  const { laptop, other, store, states } = machines(t);
  store.ingest([
    laptop.message(ended({ run: 'same' })),
    other.message(ended({ run: 'same', exit: 1 })),
    laptop.message(ended({ run: 'b', destination: 'usb' })),
    laptop.message(ended({ run: 'c', job: undefined })),
    laptop.message({ type: 'log', text: 'a', run: 'd', line: 1, ...LABELS, job: 'only lines' }),
  ]);
  const found = states(START + HOUR).map(({ feed, destination, state }) => [feed, destination, state]);
  const expected = [
    [laptop.id, 'nas', 'ok'],
    [laptop.id, 'usb', 'ok'],
    [other.id, 'nas', 'failed'],
  ];
  assert.deepEqual(new Set(found.map(String)), new Set(expected.map(String)));
  assert.equal(states(START + HOUR, { filter: { destination: ['usb'] } }).length, 1);
  assert.equal(states(START + HOUR, { filter: { job: ['nightly', 'x'], source: ['laptop'] } }).length, 3);
  assert.equal(states(START + HOUR, { feeds: [other.id] }).length, 1);
});

test('this machine is there; another one is when a message of its, or a connection, says so', (t) => {
  const { self, laptop, store, states } = machines(t);
  const daily = { every: '24h', grace: '2h' };
  store.ingest([self.message(ended(daily), START), laptop.message(ended(daily), START)]);
  const now = START + 3 * DAY;
  const stateOf = (feed: FakeFeed, seen?: ReadonlyMap<string, number>) =>
    states(now, { seen }).find((job) => job.feed === feed.id)?.state;
  assert.deepEqual([stateOf(self), stateOf(laptop)], ['missing', 'unknown']);
  assert.equal(stateOf(laptop, new Map([[laptop.id, START + DAY - 1]])), 'unknown');
  assert.equal(stateOf(laptop, new Map([[laptop.id, now]])), 'missing');
  store.ingest([laptop.message({ type: 'log', text: 'here' }, START + 2 * DAY)]);
  assert.equal(stateOf(laptop), 'missing');
});

test('a message that claims to be of the future says that its machine was there when it came', (t) => {
  const { laptop, store, states } = machines(t);
  const { key, value } = laptop.message(ended({ every: '24h', grace: '2h' }), START + 999 * DAY);
  store.ingest([{ key, value, timestamp: START + HOUR }]);
  assert.equal(states(START + 9 * DAY)[0]?.heardAt, START + HOUR);
});

test('a clock that is ahead is taken into account', (t) => {
  const { laptop, store, states } = machines(t);
  // Three days ahead: it says START, and it is three days before.
  const { key, value } = laptop.message(ended({ every: '24h', grace: '2h' }), START + 10 * MINUTE);
  store.ingest([{ key, value, timestamp: START + 10 * MINUTE - 3 * DAY }]);
  const [job] = states(START - 3 * DAY + HOUR);
  assert.deepEqual([job?.state, job?.clockOffsetMs, job?.nextDue], ['ok', 3 * DAY, START - 2 * DAY]);
  assert.equal(states(START - 2 * DAY + HOUR)[0]?.state, 'late');
});

test('a run dated in the future does not hide those of today', (t) => {
  const { laptop, store, states } = machines(t);
  store.ingest([laptop.message(ended({ started: START + 356_000 * DAY, every: '1h', exit: 1 }), START)]);
  assert.deepEqual(told(states(START + HOUR)), [`${laptop.id.slice(0, 6)} nightly failed`]);
  store.ingest([laptop.message(ended({ every: '24h' }), START)]);
  const [job] = states(START + HOUR);
  assert.deepEqual([job?.state, job?.nextDue, job?.recent.length], ['ok', START + DAY, 1]);
});

test('the run that started last counts, in whatever order they came; an end without a start is an end', (t) => {
  const { laptop, store, states } = machines(t);
  store.ingest([
    laptop.message(ended({ started: START + HOUR, exit: 1 })),
    laptop.message(ended({ started: START })),
    laptop.message({ ...ended({ started: START + HOUR }), state: 'start', exit: undefined, ended: undefined }),
  ]);
  const [job] = states(START + 2 * HOUR);
  assert.deepEqual([job?.state, job?.exit, job?.lastOk], ['failed', 1, START]);
});

test('machines that this one follows may pause its jobs and those of others; who is further away only its own', (t) => {
  const { self, laptop, other, store, states } = machines(t);
  const pause = (feed: FakeFeed) => ({ type: 'log-job', feed: feed.id, ...LABELS, state: 'paused', at: START + HOUR });
  store.ingest([self, laptop, other].map((feed) => feed.message(ended())));
  store.ingest([other.message(pause(self)), other.message(pause(laptop)), laptop.message(pause(other))]);
  const now = START + 2 * HOUR;
  const paused = () =>
    states(now).flatMap(({ feed, state, pausedBy }) => (state === 'paused' ? [[feed, pausedBy?.feed]] : []));
  assert.deepEqual(paused(), [[other.id, laptop.id]]);
  store.ingest([other.message({ ...pause(other), at: START + HOUR + 1 }), laptop.message(pause(self))]);
  assert.deepEqual(
    new Map(paused() as [string, string][]),
    new Map([
      [other.id, other.id],
      [self.id, laptop.id],
    ]),
  );
});

test('a forgotten job is gone with its schedule, until it runs again', (t) => {
  const { self, laptop, store, states } = machines(t);
  store.ingest([
    laptop.message(ended({ every: '24h', exit: 1 })),
    self.message({ type: 'log-job', feed: laptop.id, ...LABELS, state: 'forgotten', at: START + HOUR }),
  ]);
  assert.deepEqual(states(START + 3 * DAY), []);
  store.ingest([
    laptop.message(ended({ started: START + 2 * HOUR })),
    self.message({ type: 'log-job', feed: laptop.id, ...LABELS, state: 'active', at: START + 3 * HOUR }),
  ]);
  const [job] = states(START + 3 * DAY);
  assert.deepEqual([job?.state, job?.every, job?.recent.length], ['ok', null, 1]);
});

test('a machine that watches and starts again says the same', (t) => {
  const { self, laptop, store } = machines(t);
  store.ingest([laptop.message(ended({ every: '24h' }), START)]);
  const options = { self: self.id, now: START + 7 * DAY };
  const before = jobStates(store, options);
  const again = openStore(store.file, { readOnly: true });
  t.after(() => again.close());
  assert.deepEqual(jobStates(again, options), before);
  assert.equal(before[0]?.state, 'unknown');
});

test('100,000 jobs of one machine, each with a schedule, take bounded time and hide nobody', (t) => {
  const { laptop, other, store, states } = machines(t);
  ingestMany(store, 100_000, (index) =>
    laptop.message(
      ended({
        run: `r${index}`,
        job: `job ${index}`,
        started: START + index,
        cron: `${index % 60} 3 * * *`,
        tz: 'UTC',
      }),
    ),
  );
  store.ingest([other.message(ended())]);
  const leftOut: [string, number][] = [];
  const begun = performance.now();
  const found = states(START + DAY, { onLeftOut: (feed, jobs) => leftOut.push([feed, jobs]) });
  const ms = performance.now() - begun;
  t.diagnostic(`${Math.round(ms)} ms`);
  assert.ok(ms < 3000, `${ms} ms`);
  assert.deepEqual([found.length, leftOut], [501, [[laptop.id, 99_500]]]);
  assert.ok(found.some(({ job }) => job === 'job 99999') && found.some(({ feed }) => feed === other.id));
  assert.equal(states(START + DAY, { filter: { job: ['job 7'] } }).length, 1);
});

function ingestMany(store: Store, count: number, make: (index: number) => ReturnType<FakeFeed['message']>): void {
  for (let from = 0; from < count; from += 5000)
    store.ingest(Array.from({ length: Math.min(5000, count - from) }, (_, index) => make(from + index)));
}
