import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bench, Contender } from '../../../bench/measurement.ts';
import { runRounds } from '../../../bench/rounds.ts';

const NO_BENCH = {} as Bench;

function contender(name: string, turns: string[], more: Partial<Contender> = {}): Contender {
  return {
    name,
    measure: async () => {
      turns.push(name);
      return [{ metric: 'one metric', contender: name, unit: 'ms', value: turns.length }];
    },
    ...more,
  };
}

async function run(contenders: readonly Contender[], rounds: number, withPeers = true) {
  const measurement = { name: 'one', contenders: () => contenders };
  return runRounds(NO_BENCH, [measurement], { rounds, withPeers, onTurn: () => undefined });
}

test('contenders take turns, and every other round begins with the last one', async () => {
  const turns: string[] = [];
  const { figures } = await run([contender('a', turns), contender('b', turns), contender('c', turns)], 3);
  assert.equal(turns.join(''), 'abccbaabc');
  assert.deepEqual(
    figures.map(({ value }) => value),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test('who is slow has one turn', async () => {
  const turns: string[] = [];
  await run([contender('a', turns), contender('b', turns, { isOnce: true })], 3);
  assert.equal(turns.join(''), 'abaa');
});

test('who is not installed is left out, with the reason', async () => {
  const turns: string[] = [];
  const gone = contender('gone', turns, { missing: () => 'it is not installed', note: 'it has a note' });
  const { missing, notes } = await run([contender('a', turns, { note: 'a has a note' }), gone], 1);
  assert.deepEqual(turns, ['a']);
  assert.deepEqual(missing, ['without gone: it is not installed']);
  assert.deepEqual(notes, ['a has a note']);
});

test('peers may be left out', async () => {
  const turns: string[] = [];
  await run([contender('a', turns), contender('b', turns, { isPeer: true })], 1, false);
  assert.deepEqual(turns, ['a']);
});

test('a wrong result is kept, and the others go on', async () => {
  const turns: string[] = [];
  const error = new Error('a line is missing');
  const wrong = contender('wrong', turns, { measure: () => Promise.reject(error) });
  const { failures, figures } = await run([wrong, contender('a', turns)], 2);
  const failure = { measurement: 'one', contender: 'wrong', error };
  assert.deepEqual(failures, [failure, failure]);
  assert.equal(figures.length, 2);
});
