/** The ssb-server engine near the end of what flume can hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machinePaths } from '../../../../src/config/paths.ts';
import { ssbServerEngine } from '../../../../src/peer/engines/ssb-server.ts';
import { promised } from '../../../../src/peer/pull.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { freshRecord, newKeys, publish } from './fixture.ts';

test("it warns before flume's log is full, and writes no more long before it would break", async (t) => {
  const paths = machinePaths(freshDirectory(t));
  const keys = newKeys();
  const engine = ssbServerEngine(paths, { warnBytes: 20_000, refuseBytes: 40_000 });
  const notices: string[] = [];
  const notice = (text: string) => notices.push(text);
  const store = engine.openStore(notice);
  const peer = engine.stack(store)({
    path: paths.dir,
    keys,
    caps: { shs: Buffer.alloc(32, 1).toString('base64') },
    connections: { incoming: {}, outgoing: {} },
  });
  const feeds = await engine.open({ peer, store, notice, fatal: (error) => assert.fail(String(error)) });
  t.after(async () => {
    await feeds.close();
    await promised((callback) => peer.close(callback));
    store.close();
  });

  const line = { type: 'log' as const, text: 'x'.repeat(5000) };
  let published = 0;
  const fill = async () => {
    for (; published < 20; published += 1) {
      await feeds.publish([line]);
      if (published < 3) assert.deepEqual(notices, []);
    }
  };
  await assert.rejects(fill(), (error: Error & { hint: string }) => {
    assert.match(error.message, /flume's log has/);
    assert.match(error.hint, /ssblog engine sqlite/);
    return true;
  });
  assert.ok(published >= 7 && published < 9, `${published} messages of 5 KB in 40 KB`);
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? '', /ssblog engine sqlite/);

  const foreign = await publish(freshRecord(t), line);
  await assert.rejects(
    promised((callback) => peer.add(foreign.value, callback)),
    /flume's log has/,
  );
});
