import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Receipts, readReceipts } from '../../../src/peer/receipts.ts';
import type { SsbPeer } from '../../../src/peer/ssb/types.ts';
import { freshDirectory } from '../store/fake-feed.ts';

const OWN = '@own';
const WRITE_MS = 1_000;
const WRITE_AGAIN_MS = 60_000;

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const file = join(freshDirectory(t), 'receipts.json');
  const said: string[] = [];
  const peer = { id: OWN, peers: {} } as unknown as SsbPeer;
  const receipts = new Receipts({ peer, file, isKnown: () => true, notice: (text) => said.push(text) });
  return { file, said, receipts };
}

test('what machines have is written a while after it was heard, and at the end', (t) => {
  const { file, said, receipts } = open(t);
  receipts.heard('@a', OWN, 3);
  receipts.heard('@b', OWN, 2);
  receipts.heard('@b', '@other', 9);
  t.mock.timers.tick(WRITE_MS);
  assert.deepEqual(Object.fromEntries(readReceipts(file)), { '@a': 3, '@b': 2 });
  receipts.heard('@a', OWN, 4);
  receipts.close();
  assert.deepEqual(Object.fromEntries(readReceipts(file)), { '@a': 4, '@b': 2 });
  assert.deepEqual(said, []);
});

test('a disk that refuses is told of once while that lasts, and what was heard is written after it', (t) => {
  const { file, said, receipts } = open(t);
  const obstacle = `${file}.new`;
  mkdirSync(obstacle);
  for (let sequence = 1; sequence <= 3; sequence += 1) {
    receipts.heard('@a', OWN, sequence);
    t.mock.timers.tick(WRITE_AGAIN_MS);
  }
  assert.equal(said.length, 1);
  assert.match(said[0] as string, /^cannot write .*receipts\.json: /);
  rmdirSync(obstacle);
  receipts.heard('@a', OWN, 4);
  t.mock.timers.tick(WRITE_MS);
  assert.equal(readReceipts(file).size, 0, 'not at once');
  t.mock.timers.tick(WRITE_AGAIN_MS - WRITE_MS);
  assert.deepEqual(Object.fromEntries(readReceipts(file)), { '@a': 4 });

  mkdirSync(obstacle);
  receipts.heard('@a', OWN, 5);
  receipts.close();
  assert.equal(said.length, 2, 'another failure is told of again');
  rmdirSync(obstacle);
  receipts.heard('@a', OWN, 6);
  t.mock.timers.tick(WRITE_AGAIN_MS);
  assert.deepEqual(Object.fromEntries(readReceipts(file)), { '@a': 4 }, 'nothing is tried after the end');
});
