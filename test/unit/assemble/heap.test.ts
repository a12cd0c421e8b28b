import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heap } from '../../../src/assemble/heap.ts';
import { seededRandom } from '../../helpers/random.ts';

test('a heap gives the first of what it holds, whatever was put in meanwhile', () => {
  const random = seededRandom(1);
  const heap = new Heap<number>((a, b) => a < b);
  const expected: number[] = [];
  for (let step = 0; step < 5000; step += 1) {
    if (random.below(5) < 3) {
      const item = random.below(500);
      heap.push(item);
      expected.push(item);
      expected.sort((a, b) => a - b);
    } else {
      assert.equal(heap.peek(), expected[0]);
      assert.equal(heap.pop(), expected.shift());
    }
    assert.equal([...heap].length, expected.length);
  }
});

test('an empty heap gives nothing', () => {
  const heap = new Heap<number>((a, b) => a < b);
  assert.equal(heap.peek(), undefined);
  assert.equal(heap.pop(), undefined);
});
