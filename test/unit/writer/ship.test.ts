import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Change } from '../../../src/change.ts';
import { SsblogError } from '../../../src/errors.ts';
import type { Content, LogContent } from '../../../src/message/content.ts';
import { Shipper } from '../../../src/writer/ship.ts';
import type { Sink } from '../../../src/writer/sink.ts';

const log = (line: number): LogContent => ({ type: 'log', text: `line ${line}`, run: 'r', line });
const logs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => log(from + n));

function memorySpool() {
  const contents: Content[] = [];
  return {
    contents,
    file: { append: async (more: readonly Content[]) => void contents.push(...more), close: async () => {} },
  };
}

function setup(openSink: () => Promise<Sink>, answerTimeoutMs?: number) {
  const spool = memorySpool();
  const reasons: string[] = [];
  const shipper = new Shipper({
    openSink,
    spool: spool.file,
    onSpool: (reason) => reasons.push((reason as Error).message),
    onCloseFailure: (error) => reasons.push((error as Error).message),
    closeTimeoutMs: 20,
    ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
  });
  return { shipper, spool: spool.contents, reasons };
}

test('everything reaches the sink in order', async () => {
  const received: Content[] = [];
  const { shipper, spool } = setup(async () => ({
    write: async (contents) => void received.push(...contents),
    close: async () => {},
  }));
  await shipper.ship(logs(1, 3));
  await shipper.ship(logs(4, 500));
  assert.deepEqual(await shipper.finish(), { spooled: 0, dropped: 0 });
  assert.deepEqual(received, logs(1, 500));
  assert.deepEqual(spool, []);
});

test('without a sink everything goes to the spool, with the reason once', async () => {
  const { shipper, spool, reasons } = setup(async () => {
    throw new SsblogError('locked', 'held by another');
  });
  await shipper.ship(logs(1, 100));
  await shipper.ship(logs(101, 200));
  assert.deepEqual(await shipper.finish(), { spooled: 200, dropped: 0 });
  assert.deepEqual(spool, logs(1, 200));
  assert.deepEqual(reasons, ['held by another']);
});

test('a sink that goes away is opened again, and what it did not acknowledge is sent again', async () => {
  const received: Content[][] = [];
  let opened = 0;
  const { shipper, spool } = setup(async () => {
    opened += 1;
    const mine: Content[] = [];
    received.push(mine);
    const isFirst = opened === 1;
    return {
      write: async (contents) => {
        if (isFirst && mine.length >= 256) throw new SsblogError('lost', 'gone');
        mine.push(...contents);
      },
      close: async () => {},
    };
  });
  await shipper.ship(logs(1, 300));
  assert.deepEqual(await shipper.finish(), { spooled: 0, dropped: 0 });
  assert.equal(opened, 2);
  assert.deepEqual(received[0], logs(1, 256));
  assert.deepEqual(received[1], logs(257, 300));
  assert.deepEqual(spool, []);
});

test('a sink that refuses sends the rest of the run to the spool', async () => {
  const { shipper, spool, reasons } = setup(async () => ({
    write: async () => {
      throw new SsblogError('store', 'disk full');
    },
    close: async () => {},
  }));
  await shipper.ship(logs(1, 10));
  await shipper.ship(logs(11, 20));
  assert.deepEqual(await shipper.finish(), { spooled: 20, dropped: 0 });
  assert.deepEqual(spool, logs(1, 20));
  assert.deepEqual(reasons, ['disk full']);
});

test('a sink that does not answer is given up', async () => {
  const { shipper, spool, reasons } = setup(
    async () => ({ write: () => new Promise(() => {}), close: async () => {} }),
    20,
  );
  await shipper.ship(logs(1, 5));
  assert.deepEqual(await shipper.finish(), { spooled: 5, dropped: 0 });
  assert.deepEqual(spool, logs(1, 5));
  assert.match(reasons[0] ?? '', /did not answer/);
});

test('what a sink holds that is given up does not grow', async () => {
  const held: (readonly Content[])[] = [];
  let close = () => {};
  const { shipper, spool } = setup(
    async () => ({
      write: (contents) => {
        held.push(contents);
        return new Promise(() => {});
      },
      close: () =>
        new Promise((resolve) => {
          close = resolve;
          closing.tell();
        }),
    }),
    20,
  );
  const closing = new Change();
  const isClosing = closing.next();
  await shipper.ship(logs(1, 1));
  await isClosing;
  await shipper.ship(logs(2, 3));
  close();
  await shipper.finish();
  assert.deepEqual(held, [logs(1, 1)]);
  assert.deepEqual(spool, logs(1, 3));
});

test('the input waits while too much is not durable', async () => {
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { shipper } = setup(async () => ({ write: () => gate, close: async () => {} }));
  const full = shipper.ship(logs(1, 3000));
  const first = await Promise.race([full.then(() => 'room'), new Promise((resolve) => setImmediate(resolve, 'waits'))]);
  assert.equal(first, 'waits');
  release();
  await full;
  assert.deepEqual(await shipper.finish(), { spooled: 0, dropped: 0 });
});

test('when the spool fails too, the producer may write to its end, and what is lost is counted', async () => {
  const failure = new Error('no space left');
  const shipper = new Shipper({
    openSink: async () => {
      throw new SsblogError('locked', 'held');
    },
    spool: {
      append: async () => {
        throw failure;
      },
      close: async () => {},
    },
    onSpool: () => {},
    onCloseFailure: () => {},
  });
  await shipper.ship(logs(1, 2000));
  await shipper.ship(logs(2001, 2010));
  assert.deepEqual(await shipper.finish(), { spooled: 0, dropped: 2010, failure });
});

const BAD_CLOSES: Readonly<Record<string, () => Promise<void>>> = {
  'fails to close': async () => {
    throw new Error('did not close');
  },
  'never closes': () => new Promise(() => {}),
};

for (const [what, close] of Object.entries(BAD_CLOSES)) {
  test(`a sink that ${what} takes nothing back of what it acknowledged, and is spoken of`, async () => {
    const received: Content[] = [];
    const { shipper, reasons } = setup(async () => ({
      write: async (contents) => void received.push(...contents),
      close,
    }));
    await shipper.ship(logs(1, 3));
    assert.deepEqual(await shipper.finish(), { spooled: 0, dropped: 0 });
    assert.deepEqual(received, logs(1, 3));
    assert.match(reasons[0] ?? '', /did not close|took more/);
  });

  test(`a sink that refuses and ${what} sends the rest of the run to the spool`, async () => {
    const { shipper, spool, reasons } = setup(async () => ({
      write: async () => {
        throw new SsblogError('store', 'disk full');
      },
      close,
    }));
    await shipper.ship(logs(1, 10));
    assert.deepEqual(await shipper.finish(), { spooled: 10, dropped: 0 });
    assert.deepEqual(spool, logs(1, 10));
    assert.equal(reasons.at(-1), 'disk full');
  });
}
