/** Of several machines that tell one person, each knows when its turn is; nobody has to answer for that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustRenew, type Rival, turnOf } from '../../../src/notify/turns.ts';

const NOW = Date.UTC(2026, 10, 5, 12);
const MINUTE_MS = 60_000;

function rival(id: string, heardMinutesAgo: number | undefined, isConnected = false): Rival {
  return { id, isConnected, heardAt: heardMinutesAgo === undefined ? undefined : NOW - heardMinutesAgo * MINUTE_MS };
}

const TURNS: readonly [what: string, rivals: Rival[], turn: number][] = [
  ['nobody else', [], 0],
  ['a higher id is later', [rival('@z', 1)], 0],
  ['a lower id is first', [rival('@a', 1)], 1],
  ['two lower ids', [rival('@a', 1), rival('@b', 89)], 2],
  ['a lower id that was silent for too long', [rival('@a', 90)], 0],
  ['a lower id that is silent, but connected', [rival('@a', 900, true)], 1],
  ['a lower id that was never heard of', [rival('@a', undefined)], 0],
  ['any number that claims and does nothing', Array.from({ length: 50 }, (_, index) => rival(`@a${index}`, 1)), 5],
];
for (const [what, rivals, turn] of TURNS)
  test(`whose turn it is: ${what}`, () => assert.equal(turnOf('@m', rivals, NOW), turn));

const RENEWALS: readonly [what: string, rivals: Rival[], lastMinutesAgo: number, isBack: boolean, must: boolean][] = [
  ['nobody else', [], 999, false, false],
  ['it has said something lately', [rival('@a', 1)], 29, false, false],
  ['it has said nothing for long', [rival('@a', 1)], 30, false, true],
  ['those who are connected know', [rival('@a', 1, true)], 999, false, false],
  ['those who are gone do not care', [rival('@a', 200)], 999, false, false],
  ['those who gave it up must hear that it is back', [rival('@a', 200)], 999, true, true],
  ['it was not away for long', [rival('@a', 200)], 5, true, false],
];
for (const [what, rivals, ago, isBack, must] of RENEWALS)
  test(`whether to say that it is there: ${what}`, () =>
    assert.equal(mustRenew(rivals, { lastOwnMessageAt: NOW - ago * MINUTE_MS, isBack }, NOW), must));

test('two machines never both take the first turn while they know of each other', () => {
  assert.notEqual(turnOf('@a', [rival('@b', 1)], NOW), turnOf('@b', [rival('@a', 1)], NOW));
});
