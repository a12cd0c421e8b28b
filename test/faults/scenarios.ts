/** What can happen to three machines beside a kill at a named point. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../helpers/wait-for.ts';
import type { FaultyNode } from './node.ts';
import { finishAll, type ScenarioContext, scenario } from './scenario.ts';
import { noSmallDisk, onSmallDisk } from './small-disk.ts';
import { tenMillion } from './ten-million.ts';
import type { Trio } from './trio.ts';

const MIB = 1024 * 1024;

/** How much of the sender's feed it has. */
function has(node: FaultyNode, { sender }: Trio): number {
  return node.clock().get(sender.id) ?? 0;
}

function keyOf(id: string): string {
  return id.slice(1).replace('.ed25519', '');
}

export function scenarios(context: ScenarioContext, isLong: boolean): void {
  const onlyLong = !isLong && 'takes minutes: in the long form';
  describe('what else can happen', { concurrency: isLong ? 1 : 2 }, () => {
    test('restarts in the middle of replication', (t) =>
      scenario(t, context, async (trio) => {
        const { sender, followers } = trio;
        for (const node of followers) await node.stop();
        const attempt = trio.attempt(3_000, { args: ['--no-blocks'] });
        await finishAll(trio, [attempt]);
        for (let step = 1; step <= 6; step += 1) {
          const node = step % 2 === 0 ? sender : (followers[step % 4 === 1 ? 0 : 1] as FaultyNode);
          for (const one of trio.nodes) await one.mend();
          const before = has(followers[0], trio);
          const all = has(sender, trio);
          await waitFor('some more to arrive', () => has(followers[0], trio) > before || before === all, {
            everyMs: 2,
            detail: () => trio.nodes.map(({ said }) => said).join('\n'),
          });
          await (step % 3 === 0 ? node.stop() : node.kill9());
        }
      }));

    test('links that are cut, stall and close by half', (t) =>
      scenario(t, context, async (trio, random) => {
        const attempts = [trio.attempt(2_000, { args: ['--no-blocks'] }), trio.attempt(2_000)];
        const lines = finishAll(trio, attempts);
        const { links } = trio;
        for (let step = 0; step < (isLong ? 60 : 20); step += 1) {
          const link = random.pick(links);
          const fault = random.pick(['cut', 'stall', 'near', 'far', 'resume'] as const);
          if (fault === 'near' || fault === 'far') link.halfClose(fault);
          else link[fault]();
          await delay(random.below(200));
        }
        await lines;
      }));

    for (const count of [2, 10]) {
      test(`${count} pipes at once, with a daemon and without`, (t) =>
        scenario(t, context, async (trio) => {
          const pipes = () => Array.from({ length: count }, () => trio.attempt(300));
          await finishAll(trio, pipes());
          await trio.sender.stop();
          await finishAll(trio, pipes());
        }));
    }

    test('pipes without a daemon, killed one after the other', (t) =>
      scenario(t, context, async (trio, random) => {
        await trio.sender.stop();
        for (let round = 0; round < (isLong ? 20 : 5); round += 1) {
          const attempt = trio.attempt(2_000, { args: round % 2 === 0 ? ['--no-blocks'] : [] });
          const feeding = trio.feed(attempt);
          await delay(random.below(900));
          attempt.pipe.kill('SIGKILL');
          await feeding;
          await trio.finish(attempt);
        }
      }));

    test('a daemon that hangs while lines come', { skip: onlyLong }, (t) =>
      scenario(t, context, async (trio) => {
        const attempt = trio.attempt(3_000, { args: ['--no-blocks'] });
        await attempt.pipe.write(Buffer.concat(attempt.producer.lines.slice(0, 1_000)));
        const before = has(trio.sender, trio);
        await waitFor('some lines to be published', () => has(trio.sender, trio) > before, { everyMs: 2 });
        trio.sender.daemon.kill('SIGSTOP');
        attempt.pipe.endInput(Buffer.concat(attempt.producer.lines.slice(1_000)));
        await trio.finish(attempt);
        assert.match(attempt.pipe.result.stderr, /did not answer/);
        trio.sender.daemon.kill('SIGCONT');
      }),
    );

    test('the disk of the sender fills', { skip: noSmallDisk }, (t) =>
      onSmallDisk(24 * MIB, (disk) =>
        scenario(
          t,
          context,
          async (trio) => {
            const { sender } = trio;
            await finishAll(trio, [trio.attempt(500)]);
            disk.fill(MIB);
            for (let round = 0; round < 3; round += 1) {
              const attempt = trio.attempt(4_000, { maxBytes: 1_000 });
              attempt.pipe.endInput(Buffer.concat(attempt.producer.lines));
              await trio.finish(attempt, true);
            }
            assert.ok(sender.isRunning, sender.said);
            const said = sender.said.split('\n').filter((line) => /space|full/.test(line));
            const others = said.filter((line) => !line.includes('receipts.json'));
            assert.ok(said.length - others.length <= 1, `receipts say it once: ${said.join('\n')}`);
            assert.ok(
              others.length >= 1 && others.length <= 2,
              `one message from each of store and spool: ${said.join('\n')}`,
            );
            disk.free();
          },
          { sender: `${disk.dir}/machine` },
        ),
      ),
    );

    test('the disk of the sender fills, and the spool is on another', { skip: noSmallDisk }, (t) =>
      onSmallDisk(24 * MIB, (disk) =>
        scenario(
          t,
          context,
          async (trio) => {
            const { sender } = trio;
            await sender.stop();
            rmSync(sender.path('spool'), { recursive: true });
            mkdirSync(trio.box.path('spool'));
            symlinkSync(trio.box.path('spool'), sender.path('spool'));
            await sender.start();
            disk.fill(MIB);
            for (let round = 0; round < 5; round += 1) {
              // Just enough room for some calls of those that are under way together, and not for others.
              const attempt = trio.attempt(3_000, { maxBytes: 400, args: round % 2 === 0 ? [] : ['--no-blocks'] });
              attempt.pipe.endInput(Buffer.concat(attempt.producer.lines));
              await trio.finish(attempt);
            }
            assert.ok(sender.isRunning, sender.said);
            disk.free();
          },
          { sender: `${disk.dir}/machine` },
        ),
      ),
    );

    test('the disk of a follower fills', { skip: noSmallDisk }, (t) =>
      onSmallDisk(24 * MIB, (disk) =>
        scenario(
          t,
          context,
          async (trio) => {
            const [follower, other] = trio.followers;
            await finishAll(trio, [trio.attempt(500)]);
            disk.fill(MIB);
            const attempt = trio.attempt(8_000, { maxBytes: 1_000 });
            attempt.pipe.endInput(Buffer.concat(attempt.producer.lines));
            await trio.finish(attempt);
            await waitFor('the other follower to have it', () => has(other, trio) === has(trio.sender, trio));
            // It stops before the disk is full; where another program was faster, it is told by the disk.
            const said = () => follower.said.match(/no space|nothing of other machines is taken/g) ?? [];
            await waitFor('the follower to say so', () => said().length > 0, { detail: () => follower.said });
            assert.ok(follower.isRunning, follower.said);
            // It goes on trying for a while.
            await delay(5_000);
            assert.equal(said().length, new Set(said()).size, follower.said);
            disk.free();
          },
          { follower: `${disk.dir}/machine` },
        ),
      ),
    );

    test('the disk of the spool fills', { skip: noSmallDisk }, (t) =>
      scenario(t, context, async (trio) => {
        const { sender } = trio;
        await onSmallDisk(
          2 * MIB,
          async () => {
            await sender.stop();
            await trio.obstruct();
            for (const lines of [500, 8_000, 10]) {
              const attempt = trio.attempt(lines, { maxBytes: 1_000 });
              attempt.pipe.endInput(Buffer.concat(attempt.producer.lines));
              await trio.finish(attempt, true);
            }
            trio.clear();
            await sender.start();
            await waitFor('the spool to be empty', () => sender.spoolFiles().length === 0, {
              detail: () => sender.said,
            });
          },
          sender.path('spool'),
        );
        await sender.stop();
      }),
    );

    tenMillion(context.report, onlyLong);

    // Before it had a guard, a feed forked in these.
    for (const [when, isAloneAtFirst] of [
      ['while its followers are there', false],
      ['and lines come before a follower can be reached', true],
    ] as const) {
      test(`an old backup of the sender is put back, ${when}`, { skip: onlyLong }, (t) =>
        scenario(t, context, async (trio) => {
          const { sender, followers } = trio;
          await finishAll(trio, [trio.attempt(300)]);
          await sender.stop();
          const backup = trio.box.path('backup');
          cpSync(sender.dir, backup, { recursive: true });
          await sender.start();
          const attempts = [trio.attempt(300), trio.attempt(300, { args: ['--no-blocks'] })];
          await finishAll(trio, attempts);
          await trio.settle(attempts.map(({ producer }) => producer));
          await sender.stop();
          renameSync(sender.dir, trio.box.path('newer'));
          renameSync(backup, sender.dir);
          if (isAloneAtFirst) for (const follower of followers) await follower.stop();
          await sender.start();
          await finishAll(trio, [trio.attempt(300)]);
        }),
      );
    }

    test('the directory of the sender is used on two machines', { skip: onlyLong }, (t) =>
      scenario(t, context, async (trio) => {
        const { sender, followers } = trio;
        await finishAll(trio, [trio.attempt(300)]);
        await sender.stop();
        const clone = await sender.cloneTo(trio.box.path('clone'));
        await sender.start();
        await clone.start();
        try {
          for (const { id, port } of followers) await clone.must('connect', `net:127.0.0.1:${port}~shs:${keyOf(id)}`);
          const [ours, theirs] = [trio.attempt(300), trio.attempt(300, { node: clone })];
          await Promise.all([trio.feed(ours), trio.feed(theirs)]);
          await trio.finish(ours);
          await trio.finish(theirs);
          // What the clone took may have to wait in its spool for ever: followers are owed no more than its beginning.
          theirs.producer.promised = 'broken';
          // Which of the two it is cannot be known; one of them must say so.
          await waitFor(
            'a daemon to say that there are two of it',
            () => [sender, clone].some(({ said }) => /ANOTHER MACHINE WRITES IT TOO/.test(said)),
            { deadlineMs: 20_000, detail: () => `${sender.said}\n${clone.said}` },
          );
        } finally {
          await clone.kill9();
        }
      }),
    );
  });
}
