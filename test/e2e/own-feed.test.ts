/** A feed never forks: old backups, copied directories, two machines with one identity. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { befriend, copyDirectory, Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** A laptop that has written two lines and made a backup, and then written a third one that the nas has. */
async function withOldBackup(t: TestContext): Promise<{ laptop: Machine; nas: Machine; putBack: () => void }> {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(laptop, nas);
  await laptop.pipe('one\ntwo\n');
  await nas.waitForLog(2);
  await laptop.stop();
  const backup = laptop.box.path('backup');
  copyDirectory(laptop.dir, backup);
  await laptop.start();
  await laptop.pipe('three\n');
  await nas.waitForLog(3);
  await laptop.stop();
  return {
    laptop,
    nas,
    putBack: () => {
      rmSync(laptop.dir, { recursive: true });
      copyDirectory(backup, laptop.dir);
    },
  };
}

/** As when the whole disk was put back: nothing outside the directory is newer. */
function forgetMarks({ box }: Machine): void {
  rmSync(box.path('home', '.local'), { recursive: true, force: true });
}

async function waitForHold(machine: Machine, reason: string | undefined): Promise<void> {
  let seen: string | undefined;
  await waitFor(
    `${machine.name} to be held: ${reason}`,
    async () => {
      seen = (await machine.status()).hold?.reason;
      return seen === reason;
    },
    { detail: () => `it was: ${seen}; its daemon said:\n${machine.said}` },
  );
}

async function assertSameLog(expected: readonly string[], ...machines: Machine[]): Promise<void> {
  for (const machine of machines) {
    await machine.waitForLog(expected.length);
    assert.deepEqual((await machine.entries()).map(({ text }) => text).sort(), [...expected].sort(), machine.name);
  }
}

for (const { what, reason, prepare } of [
  { what: 'of the directory', reason: 'mark', prepare: () => undefined },
  { what: 'of the whole disk', reason: 'copied', prepare: forgetMarks },
]) {
  test(`an old backup ${what} fetches its own messages before it writes`, async (t) => {
    const { laptop, nas, putBack } = await withOldBackup(t);
    await nas.stop();
    putBack();
    prepare(laptop);
    await laptop.start();
    const { hold } = await laptop.status();
    assert.equal(hold?.reason, reason, laptop.said);

    const four = await laptop.pipe('four\n');
    assert.match(four.stderr, /does not write its feed.*wait in .*spool/);
    assert.equal((await laptop.status()).spool.lines, 1);

    await nas.start();
    await waitForHold(laptop, undefined);
    await assertSameLog(['one', 'two', 'three', 'four'], laptop, nas);
    assert.equal((await laptop.status()).spool.lines, 0);
  });
}

test('a command without a daemon does not write a copy either', async (t) => {
  const { laptop, nas, putBack } = await withOldBackup(t);
  putBack();
  forgetMarks(laptop);
  await laptop.pipe('four\n');
  assert.equal((await laptop.status()).spool.lines, 1);
  const follow = await laptop.run('follow', nas.id);
  assert.equal(follow.code, 1);
  assert.match(follow.stderr, /does not write its feed.*is a copy.*\n.*--no-catch-up/);
  await laptop.start();
  await assertSameLog(['one', 'two', 'three', 'four'], laptop, nas);
});

test('whoever knows that nobody has more starts without waiting', async (t) => {
  const { laptop, nas, putBack } = await withOldBackup(t);
  await nas.stop();
  putBack();
  const daemon = laptop.spawn('start', '--no-catch-up');
  await daemon.waitForOutput('stderr', /listening/);
  assert.equal((await laptop.status()).hold, null);
  daemon.kill('SIGTERM');
  assert.equal((await daemon.done()).code, 0);
});

test('a copy that nothing tells apart catches up when it meets who has more', async (t) => {
  const { laptop, nas, putBack } = await withOldBackup(t);
  putBack();
  forgetMarks(laptop);
  rmSync(laptop.path('own-feed.json'));
  await laptop.start();
  await assertSameLog(['one', 'two', 'three'], laptop);
  await waitForHold(laptop, undefined);
  await laptop.pipe('four\n');
  await assertSameLog(['one', 'two', 'three', 'four'], laptop, nas);
});

test('a feed that has forked is written no more, and both sides say so', async (t) => {
  const { laptop, nas, putBack } = await withOldBackup(t);
  await nas.stop();
  putBack();
  const daemon = laptop.spawn('start', '--no-catch-up');
  await daemon.waitForOutput('stderr', /listening/);
  await laptop.pipe('another three\nanother four\nanother five\n', '--no-blocks');
  await nas.start();
  await waitForHold(laptop, 'forked');
  await daemon.waitForOutput('stderr', /HAS FORKED/);
  await nas.daemon.waitForOutput('stderr', /the feed of laptop has forked/);
  const six = await laptop.pipe('six\n');
  assert.match(six.stderr, /HAS FORKED.*spool/);

  daemon.kill('SIGTERM');
  assert.equal((await daemon.done()).code, 0);
  const { id, old } = await laptop.json<{ id: string; old: string }>('new-identity');
  assert.notEqual(id, laptop.id);
  assert.ok(readdirSync(old).includes('secret'));
  await nas.must('follow', id);
  await laptop.start();
  await assertSameLog(['one', 'two', 'three', 'six'], laptop, nas);
});

test('of two machines with one identity one goes on and the other is told', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(laptop, nas);
  await laptop.pipe('one\n');
  await nas.waitForLog(1);
  await laptop.stop();
  const clone = await Machine.copyOf(laptop, 'clone');
  await laptop.start();
  await laptop.waitForPeer(nas);
  await clone.start();
  await waitForHold(clone, 'cloned');
  assert.match(clone.said, /ANOTHER MACHINE WRITES IT TOO/);
  await nas.daemon.waitForOutput('stderr', /two machines use the identity of laptop, from net:.* and net:/);
  await laptop.pipe('two\n');
  await clone.pipe('of the clone\n');
  assert.equal((await clone.status()).spool.lines, 1);

  await laptop.pipe('three\n');
  await assertSameLog(['one', 'two', 'three'], laptop, nas);
  await clone.stop();
  await clone.start();
  assert.equal((await clone.status()).hold?.reason, 'cloned', 'it is still a clone');
});
