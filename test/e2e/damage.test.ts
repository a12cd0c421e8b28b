/** A daemon starts on whatever is left of its directory, mends what it can, says so, and gets the rest from others. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { overwrite } from '../helpers/damage.ts';
import { befriend, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

const LINES = 400;
const numbered = Array.from({ length: LINES }, (_, index) => `line ${index}\n`).join('');

/** A laptop at rest whose lines the nas has, and the log of both. */
async function atRest(t: TestContext): Promise<{ laptop: Machine; nas: Machine; log: string }> {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(laptop, nas);
  await laptop.pipe(numbered, '--no-blocks');
  await nas.pipe('from the nas\n');
  await nas.waitForLog(LINES + 1);
  const { text } = await laptop.waitForLog(LINES + 1);
  assert.equal(await laptop.stop(), 0);
  return { laptop, nas, log: text };
}

const KINDS: readonly { what: string; harm: (laptop: Machine) => void; says: RegExp | undefined }[] = [
  {
    what: 'a store whose tail is cut off',
    harm: (laptop) => {
      const file = laptop.path('store.db');
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
    says: /is being mended: .*damaged/,
  },
  {
    what: 'a store whose tail is zeros',
    harm: (laptop) => {
      const file = laptop.path('store.db');
      const half = Math.floor(statSync(file).size / 2);
      overwrite(file, Buffer.alloc(statSync(file).size - half), half);
    },
    says: /is being mended: .*damaged/,
  },
  {
    what: 'no store at all',
    harm: (laptop) => {
      for (const name of readdirSync(laptop.dir)) if (name.startsWith('store.db')) rmSync(laptop.path(name));
    },
    says: /is being mended: .*gone/,
  },
  { what: 'a damaged list of addresses', harm: (laptop) => spoil(laptop, 'conn.json'), says: undefined },
  { what: 'a damaged manifest', harm: (laptop) => spoil(laptop, 'manifest.json'), says: undefined },
  { what: 'damaged notes on its own feed', harm: (laptop) => spoil(laptop, 'own-feed.json'), says: /was damaged/ },
  { what: 'a damaged lock', harm: (laptop) => spoil(laptop, 'lock'), says: undefined },
];

test('damage in the midst of a store is met by who reads it, and mended at the next start', async (t) => {
  const { laptop, nas, log } = await atRest(t);
  const file = laptop.path('store.db');
  const third = Math.floor(statSync(file).size / 3);
  overwrite(file, Buffer.alloc(third, 0x5a), third);
  await laptop.start();
  const read = await laptop.run('log');
  assert.equal(read.code, 1);
  assert.match(read.stderr, /damaged.*\n.*ssblog start/);
  await laptop.kill9();
  await laptop.start();
  assert.match(laptop.said, /is being mended: .*damaged/);
  await nas.must('connect', laptop.address);
  assert.equal((await laptop.waitForLog(LINES + 1)).text, log);
});

function spoil(laptop: Machine, name: string): void {
  const text = readFileSync(laptop.path(name));
  writeFileSync(laptop.path(name), Buffer.concat([text.subarray(0, text.length / 2), Buffer.alloc(200, 0xff)]));
}

for (const { what, harm, says } of KINDS) {
  test(`a daemon with ${what} starts, has all lines again and ships new ones`, async (t) => {
    const { laptop, nas, log } = await atRest(t);
    harm(laptop);
    await laptop.start();
    if (says !== undefined) assert.match(laptop.said, says);
    // The other way round: what is known of addresses may be gone.
    await nas.must('connect', laptop.address);
    assert.equal((await laptop.waitForLog(LINES + 1)).text, log);
    await laptop.pipe('after\n');
    await nas.waitForLog(LINES + 2);
    await waitFor('the spool to be empty', async () => (await laptop.status()).spool.files === 0);
    assert.equal((await laptop.status()).hold, null);
    assert.equal((await laptop.waitForLog(LINES + 2)).text, (await nas.waitForLog(LINES + 2)).text);
  });
}
