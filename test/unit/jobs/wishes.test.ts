/** Whose wish counts, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weighWishes } from '../../../src/jobs/wishes.ts';
import type { JobWish } from '../../../src/store/store.ts';
import { DAY, HOUR, START } from './fake-run.ts';

const NOW = START + HOUR;

function wish(author: string, state: JobWish['state'], at: number, changes: Partial<JobWish> = {}): JobWish {
  return { author, state, at, until: null, forgotten: state === 'forgotten' ? at : null, ...changes };
}

function weigh(...wishes: JobWish[]) {
  const wishers = {
    mayWish: (author: string) => author !== '@stranger',
    clockOffset: (author: string) => (author === '@ahead' ? 2 * HOUR : 0),
  };
  return weighWishes(wishes, wishers, NOW);
}

test('nobody wants anything', () => {
  assert.deepEqual(weigh(), { pause: undefined, activeSince: undefined, forgotten: undefined, latest: 0 });
});

test('the latest counts, whoever it is of', () => {
  const pause = wish('@a', 'paused', START);
  assert.deepEqual(weigh(pause).pause, { by: '@a', at: START, until: null });
  const both = weigh(pause, wish('@b', 'active', START + 1));
  assert.deepEqual([both.pause, both.activeSince, both.latest], [undefined, START + 1, START + 1]);
});

test('of one time, every machine takes the same', () => {
  const wishes = [wish('@a', 'paused', START), wish('@b', 'active', START)];
  assert.deepEqual(weigh(...wishes), weigh(...wishes.reverse()));
  assert.equal(weigh(...wishes).pause, undefined);
});

test('a stranger wants nothing here', () => {
  assert.equal(weigh(wish('@stranger', 'paused', START)).pause, undefined);
  assert.equal(weigh(wish('@stranger', 'forgotten', START)).forgotten, undefined);
});

test('what is dated in the future is not believed, and does not hide what is not', () => {
  const wishes = [wish('@a', 'paused', START + 999 * DAY), wish('@b', 'active', START)];
  assert.deepEqual([weigh(...wishes).pause, weigh(...wishes).activeSince], [undefined, START]);
  assert.equal(weigh(wish('@a', 'forgotten', START + 999 * DAY)).forgotten, undefined);
  const later = wish('@a', 'active', START, { forgotten: START + 999 * DAY });
  assert.equal(weigh(later).forgotten, undefined);
});

test('a machine whose clock is known to be ahead is believed', () => {
  assert.equal(weigh(wish('@ahead', 'paused', NOW + HOUR)).pause?.by, '@ahead');
  assert.equal(weigh(wish('@ahead', 'paused', NOW + 3 * HOUR)).pause, undefined);
});

test('a pause until a time ends by itself, and the job is due from then on', () => {
  assert.equal(weigh(wish('@a', 'paused', START, { until: NOW + 1 })).pause?.until, NOW + 1);
  const over = weigh(wish('@a', 'paused', START, { until: NOW }));
  assert.deepEqual([over.pause, over.activeSince], [undefined, NOW]);
});

test('what was forgotten stays so after the job was paused or active again', () => {
  const wishes = [wish('@a', 'active', START + 2, { forgotten: START }), wish('@b', 'forgotten', START - 5)];
  assert.equal(weigh(...wishes).forgotten, START);
});
