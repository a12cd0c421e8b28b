import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { RawLines } from '../../../src/lines/split.ts';
import type { Content } from '../../../src/message/content.ts';
import { Packer } from '../../../src/writer/pack.ts';
import { pumpLines } from '../../../src/writer/pump.ts';
import { rawLine, rawLines } from '../../helpers/raw-lines.ts';

/** Input that comes when the test says so, on a clock that stands until it is set. */
function setup() {
  let now = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
  const shipped: Content[] = [];
  const waiting: ((result: IteratorResult<RawLines[]>) => void)[] = [];
  const lines: AsyncIterator<RawLines[]> = { next: () => new Promise((resolve) => waiting.push(resolve)) };
  const packer = new Packer({ labels: { run: 'r', source: 's' }, blocks: true, now: () => now });
  const done = pumpLines(lines, packer, { ship: async (contents) => void shipped.push(...contents) }, () => now);
  return {
    shipped,
    done,
    give: async (count: number) => {
      const value = [rawLines(Array(count).fill('x'), 0)];
      waiting.shift()?.({ done: false, value });
      await turn();
    },
    end: () => waiting.shift()?.({ done: true, value: undefined }),
    pass: async (ms: number) => {
      now += ms;
      mock.timers.tick(ms);
      await turn();
    },
  };
}

test('what waits in a block goes out when its time has come, though the input is silent', async (t) => {
  t.after(() => mock.timers.reset());
  const { shipped, done, give, end, pass } = setup();
  await give(100);
  await pass(199);
  assert.deepEqual(shipped, []);
  await pass(1);
  assert.deepEqual(
    shipped.map(({ type }) => type),
    ['log-block'],
  );
  end();
  await done;
});

test('a deadline that moves on is kept, again and again', async (t) => {
  t.after(() => mock.timers.reset());
  const { shipped, done, give, end, pass } = setup();
  for (let block = 1; block <= 5; block += 1) {
    await give(50);
    await pass(150);
    await give(50);
    await pass(49);
    assert.equal(shipped.length, block - 1);
    await pass(1);
    assert.equal(shipped.length, block);
    await pass(70);
  }
  end();
  await done;
});

test('an input that fails says so after what came before it is shipped', async (t) => {
  t.after(() => mock.timers.reset());
  const shipped: Content[] = [];
  const packer = new Packer({ labels: { run: 'r', source: 's' }, blocks: true, now: () => 0 });
  async function* broken(): AsyncGenerator<RawLines[]> {
    yield [rawLine('x', 0)];
    throw new Error('gone');
  }
  const ship = async (contents: readonly Content[]) => void shipped.push(...contents);
  await assert.rejects(
    pumpLines(broken(), packer, { ship }, () => 0),
    /gone/,
  );
  assert.equal(shipped.length, 1);
});
