/** Whatever a followed machine says of its jobs, they are shown: nothing throws, nothing takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chalk } from 'chalk';
import fc from 'fast-check';
import { renderJob, renderJobs } from '../../../src/cli/render/jobs.ts';
import { renderNagios } from '../../../src/cli/render/nagios.ts';
import { jobHistory, jobStates } from '../../../src/jobs/job-states.ts';
import { findProblems } from '../../../src/jobs/problems.ts';
import { parseContent } from '../../../src/message/content.ts';
import { MAX_TIME_MS } from '../../../src/message/limits.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';
import { DAY, START } from './fake-run.ts';

const time = fc.oneof(
  fc.constantFrom(0, 0.5, START, START - DAY, START + DAY, MAX_TIME_MS, Date.UTC(2999, 0)),
  fc.double({ min: 0, max: MAX_TIME_MS, noNaN: true }),
);
const name = fc.oneof(fc.constantFrom('laptop', 'a', '\u001b[2J', '|', "'"), fc.string({ minLength: 1, maxLength: 5 }));
const duration = fc.oneof(
  fc.constantFrom('24h', '1s', '0s', '9007199254740s', '104249991d', '', '1e9h', '14892855w'),
  fc.string({ maxLength: 8 }),
);
const cron = fc.oneof(
  fc.constantFrom('0 3 * * *', '* * * * *', '0 0 29 2 *', '0 0 30 2 *', '@yearly', '0 0 1 1 *', '0 0 L 2 1#5'),
  fc.string({ maxLength: 10 }),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const runMessage = fc.record({
  type: fc.constant('log-run'),
  run: fc.string({ minLength: 1, maxLength: 3 }),
  source: optional(name),
  destination: optional(name),
  job: name,
  state: fc.constantFrom('start', 'end'),
  started: time,
  ended: optional(time),
  exit: optional(fc.option(fc.integer({ min: -1, max: 255 }))),
  signal: optional(fc.option(fc.string({ maxLength: 5 }))),
  reason: optional(fc.string({ maxLength: 5 })),
  lines: optional(fc.maxSafeNat()),
  levels: optional(fc.dictionary(fc.constantFrom('err', 'warning', '__proto__', 'x', ''), fc.maxSafeNat())),
  every: optional(duration),
  cron: optional(cron),
  tz: optional(fc.constantFrom('UTC', 'Europe/Berlin', 'Nowhere', '', '+25:99')),
  grace: optional(duration),
});
const wish = fc.record({
  type: fc.constant('log-job'),
  job: name,
  state: fc.constantFrom('paused', 'active', 'forgotten'),
  at: time,
  until: optional(time),
});

test('hostile run records and wishes are borne', (t) => {
  const store = freshStore(t);
  let count = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: runMessage }, { weight: 1, arbitrary: wish }), { maxLength: 30 }),
      time,
      time,
      (contents, timestamp, now) => {
        const feed = new FakeFeed(String(count));
        count += 1;
        const messages = contents.map((content) => ({ ...content, feed: feed.id }));
        assert.ok(messages.every((content) => parseContent(content).kind !== 'other'));
        store.ingest(messages.map((content) => feed.message(content, timestamp)));
        const options = { self: feed.id, now };
        const jobs = jobStates(store, { ...options, feeds: [feed.id] });
        const chalk = new Chalk({ level: 1 });
        const problems = findProblems(jobs, { maxAgeMs: 1, allowUnknown: false, allowLate: false, now });
        assert.equal(renderJobs(jobs, chalk, now).split('\n').length, jobs.length + 2);
        assert.equal(renderNagios(jobs, problems, [], now).text.split('\n').length, 2);
        for (const job of jobs) {
          const runs = jobHistory(store, job, options, 5);
          assert.ok(runs.length > 0);
          assert.ok(renderJob(job, runs, chalk, now).includes(job.state));
          assert.deepEqual(JSON.parse(JSON.stringify(job)), job);
        }
      },
    ),
    { numRuns: 60 },
  );
});
