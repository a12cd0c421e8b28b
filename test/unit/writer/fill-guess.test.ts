import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FillGuess } from '../../../src/writer/fill-guess.ts';

/** What was aimed at for each of the blocks that need so many bytes to be full. */
function aims(guess: FillGuess, capacities: readonly number[], density?: (capacity: number) => number): number[] {
  return capacities.map((capacity) => {
    const sampled = density && guess.sampledAimBytes(density(capacity));
    const bytes = sampled ?? guess.aimBytes;
    guess.learn({ bytes, fill: bytes / capacity }, density?.(capacity));
    return bytes / capacity;
  });
}

test('blocks that are like those before are nearly full, and need no samples', () => {
  const guess = new FillGuess();
  const last = aims(guess, Array(20).fill(120_000)).at(-1) ?? 0;
  assert.ok(last > 0.95 && last < 1, String(last));
  assert.ok(!guess.isPoor);
});

test('blocks that differ from those before call for samples', () => {
  const guess = new FillGuess();
  aims(guess, [60_000, 150_000, 70_000, 140_000]);
  assert.ok(guess.isPoor);
});

test('what a sample tells is learned, and then aimed at', () => {
  const guess = new FillGuess();
  assert.equal(guess.sampledAimBytes(0.2), undefined);
  const capacities = Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? 60_000 : 150_000));
  // A sample is compressed less well than the whole, by the same share each time.
  const last = aims(guess, capacities, (capacity) => (14_000 / capacity) * 1.4).slice(10);
  for (const fill of last) assert.ok(fill > 0.95 && fill < 1, String(fill));
});

test('the more guesses are off, the lower they aim', () => {
  const [steady, unsteady] = [new FillGuess(), new FillGuess()];
  aims(steady, Array(10).fill(100_000));
  aims(unsteady, [100_000, 115_000, 90_000, 110_000, 95_000, 105_000, 90_000, 110_000, 92_000, 100_000]);
  assert.ok(unsteady.aimBytes < steady.aimBytes);
});
