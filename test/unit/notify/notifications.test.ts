/** The service over a real store: what must not keep it from telling. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CONFIG_DEFAULTS, type Config } from '../../../src/config/keys.ts';
import { parseNotifiers } from '../../../src/config/notifiers.ts';
import type { Content } from '../../../src/message/content.ts';
import { startNotifications } from '../../../src/notify/notifications.ts';
import { openStore } from '../../../src/store/open.ts';
import { Receiver } from '../../helpers/receiver.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { FakeFeed } from '../store/fake-feed.ts';

async function desk(t: TestContext, settings: object, publish: (contents: readonly Content[]) => Promise<void>) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-test-'));
  const receiver = await Receiver.listen(t);
  const [self, nas] = [new FakeFeed('self'), new FakeFeed('nas')];
  const storeFile = join(dir, 'store.db');
  const store = openStore(storeFile);
  const config: Config = { ...CONFIG_DEFAULTS, name: 'me', networkKey: '' };
  const notices: string[] = [];
  const service = startNotifications({
    notifiers: parseNotifiers({ ...config, notify: [{ name: 'x', webhook: receiver.url, ...settings }] }),
    self: { id: self.id, name: 'me' },
    ...{ storeFile, stateFile: join(dir, 'notify.json'), dir, hops: 3, environment: {}, publish },
    presence: async () => ({ connected: new Set(), seen: new Map() }),
    onRecords: (listener) => store.onRecords(listener),
    notice: (text) => notices.push(text),
  });
  t.after(async () => {
    await service.close();
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const fail = (job: string) => {
    const at = Date.now();
    const labels = { source: 'nas', job, run: `run of ${job}` };
    store.ingest([nas.message({ type: 'log-run', ...labels, state: 'end', started: at, ended: at, exit: 1 })]);
  };
  return { receiver, fail, notices };
}

async function toldOf(receiver: Receiver, job: string): Promise<void> {
  await waitFor(`${job} to be told`, () => receiver.titles().some((title) => String(title).startsWith(`${job} on`)), {
    everyMs: 10,
  });
}

test('a feed that cannot be written now keeps nobody from being told', async (t) => {
  const { receiver, fail } = await desk(t, { to: 'anna' }, () => new Promise(() => undefined));
  for (const job of ['a', 'b', 'c']) {
    fail(job);
    await toldOf(receiver, job);
  }
  assert.equal(receiver.received.length, 3);
});

test('a feed that refuses is said once, and tried again', async (t) => {
  let tries = 0;
  const { receiver, fail, notices } = await desk(t, { to: 'anna' }, async () => {
    tries += 1;
    throw new Error('held');
  });
  for (const job of ['a', 'b']) {
    fail(job);
    await toldOf(receiver, job);
  }
  await waitFor('another try', () => tries > 2, { everyMs: 10 });
  assert.deepEqual(notices, ['other machines could not be told what was told: held']);
});
