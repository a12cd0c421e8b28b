import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import ssbKeys from 'ssb-keys';
import type { Identity } from '../../../../src/config/identity.ts';
import type { Config } from '../../../../src/config/keys.ts';
import { machinePaths } from '../../../../src/config/paths.ts';
import type { FollowGraph } from '../../../../src/peer/follow-graph.ts';
import { type Announcement, openAnnouncement, sealAnnouncement } from '../../../../src/peer/rekey/announcement.ts';
import { Keyring } from '../../../../src/peer/rekey/keyring.ts';
import { Rekeying } from '../../../../src/peer/rekey/rekeying.ts';
import { openRekey, readRekey } from '../../../../src/peer/rekey/state-file.ts';
import type { RemotePeer, SsbPeer } from '../../../../src/peer/ssb/types.ts';
import { openStore } from '../../../../src/store/open.ts';

const { generate } = ssbKeys as unknown as { generate(): Identity };

const NOW = 1_795_000_000_000;
const DAY_MS = 86_400_000;
const newKey = () => randomBytes(32).toString('base64');

type Listener = (message: { value: { author: string; content: unknown } }) => void;

/** A machine's directory and what its key ring does, on what others say and whom it follows. */
function machine(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-'));
  const identity = generate();
  const paths = machinePaths(dir, { HOME: dir });
  const first = newKey();
  writeFileSync(paths.config, JSON.stringify({ name: 'me', networkKey: first }), { mode: 0o600 });
  const store = openStore(paths.store);
  const clock = { ms: NOW };
  const following = new Set<string>();
  const blocking = new Set<string>();
  const published: string[] = [];
  const notices: string[] = [];
  const publishing: { failure?: Error } = {};
  let changed = (): void => undefined;
  const graph = {
    isFollowed: (id: string) => following.has(id),
    isBlocked: (id: string) => blocking.has(id),
    isWithinHops: (id: string) => following.has(id),
    ownContacts: () => [
      ...[...following].map((to) => ({ from: identity.id, to, following: true, blocking: false })),
      ...[...blocking].map((to) => ({ from: identity.id, to, following: false, blocking: true })),
    ],
    onChange: (listener: () => void) => {
      changed = listener;
      return () => undefined;
    },
  } as unknown as FollowGraph;
  const configKey = () => (JSON.parse(readFileSync(paths.config, 'utf8')) as { networkKey: string }).networkKey;

  const open = () => {
    const listeners: Listener[] = [];
    const connected: ((remote: RemotePeer) => void)[] = [];
    const state = openRekey(paths, { networkKey: configKey() } as Config, clock.ms);
    const keyring = new Keyring(state.key, state.old, () => clock.ms);
    const peer = {
      id: identity.id,
      peers: {},
      post: (listener: Listener) => {
        listeners.push(listener);
        return () => undefined;
      },
      on: (_event: string, listener: (remote: RemotePeer) => void) => connected.push(listener),
    } as unknown as SsbPeer;
    const rekeying = new Rekeying({
      peer,
      identity,
      paths,
      store,
      graph,
      keyring,
      state,
      publish: async (contents) => {
        if (publishing.failure !== undefined) throw publishing.failure;
        published.push(...contents);
      },
      nameOf: (id) => id,
      notice: (text) => notices.push(text),
      now: () => clock.ms,
    });
    return {
      rekeying,
      keyring,
      hear: (author: string, said: Announcement) => {
        const [content] = sealAnnouncement(said, [identity.id]);
        for (const listener of listeners) listener({ value: { author, content } });
      },
      meet: (id: string, networkKey: string) => {
        for (const listener of connected) listener({ id, meta: { networkKey } } as unknown as RemotePeer);
      },
    };
  };
  const opened = open();
  const all = [opened.rekeying];
  t.after(async () => {
    for (const rekeying of all) await rekeying.close();
    store.close();
    rmSync(dir, { recursive: true });
  });
  return {
    ...opened,
    identity,
    paths,
    first,
    clock,
    following,
    blocking,
    published,
    notices,
    publishing,
    configKey,
    changed: () => changed(),
    restart: async () => {
      await all.at(-1)?.close();
      const next = open();
      all.push(next.rekeying);
      return next;
    },
  };
}

function announcement(origin: string, changes: Partial<Announcement> = {}): Announcement {
  return { type: 'ssblog-rekey', key: newKey(), at: NOW, until: NOW + DAY_MS, origin, shutOut: [], ...changes };
}

test('a key is taken over from a machine that is followed, and passed on once to the others that are', async (t) => {
  const me = machine(t);
  const [laptop, nas, vps] = [generate(), generate(), generate()];
  for (const { id } of [laptop, nas, vps]) me.following.add(id);
  const said = announcement(laptop.id);
  me.hear(laptop.id, said);
  me.hear(laptop.id, said);
  assert.equal(me.keyring.current, said.key);
  assert.equal(me.configKey(), said.key);
  assert.deepEqual(me.keyring.accepted(), [said.key, me.first]);
  await me.restart();
  assert.equal(me.published.length, 1);
  for (const other of [nas, vps]) assert.deepEqual(openAnnouncement(me.published[0], other), said);
  assert.equal(openAnnouncement(me.published[0], laptop), undefined);
  for (const file of [me.paths.config, me.paths.rekey]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!me.notices.some((text) => text.includes(said.key) || text.includes(me.first)));
});

test('nobody is believed who is not followed, is blocked, was shut out, or speaks from the future', (t) => {
  const me = machine(t);
  const [laptop, thief] = [generate().id, generate().id];
  me.hear(thief, announcement(thief));
  me.following.add(laptop);
  me.following.add(thief);
  me.hear(laptop, announcement(laptop, { at: NOW + 2 * DAY_MS }));
  assert.match(me.notices.join('\n'), /of the future/);
  me.hear(laptop, announcement(laptop, { shutOut: [me.identity.id] }));
  me.blocking.add(thief);
  me.hear(thief, announcement(thief));
  me.hear(laptop, announcement(thief)); // passed on by one that does not know yet
  me.blocking.clear();
  assert.equal(me.keyring.current, me.first);
  const said = announcement(laptop, { shutOut: [thief] });
  me.hear(laptop, said);
  me.hear(thief, announcement(thief, { at: NOW + 1 }));
  assert.equal(me.keyring.current, said.key);
  assert.equal(me.rekeying.mayUseOld(laptop), true);
  assert.equal(me.rekeying.mayUseOld(thief), false);
});

test('of keys that cross the latest stays, whatever their order, and no old one comes back', (t) => {
  const [one, other] = [generate().id, generate().id];
  const early = announcement(one);
  const late = announcement(other, { at: NOW + 1 });
  for (const order of [
    [early, late],
    [late, early],
  ]) {
    const me = machine(t);
    me.following.add(one);
    me.following.add(other);
    for (const said of order) me.hear(said.origin, said);
    assert.equal(me.keyring.current, late.key);
    assert.ok(me.keyring.accepted().includes(me.first));
    me.hear(one, { ...early, at: NOW + 2 });
    me.hear(one, announcement(one, { key: me.first, at: NOW + 3 }));
    assert.equal(me.keyring.current === me.first, false);
  }
});

test('whom the maker of a key blocks gets it from nobody, until it has it', async (t) => {
  const me = machine(t);
  const [laptop, nas, stolen] = [generate(), generate(), generate()];
  for (const { id } of [laptop, nas, stolen]) me.following.add(id);
  me.hear(laptop.id, announcement(laptop.id, { shutOut: [stolen.id] }));
  await me.rekeying.rekey({ graceMs: DAY_MS });
  for (const content of me.published) assert.equal(openAnnouncement(content, stolen), undefined);
  assert.deepEqual(openAnnouncement(me.published.at(-1), nas)?.shutOut, [stolen.id]);
  me.meet(stolen.id, me.first);
  assert.equal(me.rekeying.mayUseOld(stolen.id), false);
  me.meet(stolen.id, me.keyring.current);
  assert.equal(me.rekeying.mayUseOld(stolen.id), true);
  assert.deepEqual(Object.keys(readRekey(me.paths)?.confirmed ?? {}), [stolen.id]);
});

test('the old key ends at its time, or sooner when somebody says so', async (t) => {
  const me = machine(t);
  const laptop = generate().id;
  me.following.add(laptop);
  const said = announcement(laptop);
  me.hear(laptop, said);
  me.hear(laptop, { ...said, until: NOW + 2 * DAY_MS }); // nobody makes it longer
  me.clock.ms = NOW + DAY_MS - 1;
  assert.equal(me.keyring.accepted().length, 2);
  me.clock.ms = NOW + DAY_MS;
  assert.deepEqual(me.keyring.accepted(), [said.key]);
  me.clock.ms = NOW;
  me.hear(laptop, { ...said, until: NOW });
  assert.deepEqual(me.keyring.accepted(), [said.key]);
  assert.deepEqual((await me.restart()).keyring.accepted(), [said.key]);
});

test('whoever ends the time of the old key tells all, the maker of the new one too', async (t) => {
  const me = machine(t);
  const [laptop, nas] = [generate(), generate()];
  me.following.add(laptop.id);
  me.following.add(nas.id);
  const said = announcement(laptop.id);
  me.hear(laptop.id, said);
  for (const { id } of [laptop, nas]) me.meet(id, said.key);
  assert.equal((await me.rekeying.rekey({ end: true })).told, 2);
  for (const other of [laptop, nas]) {
    assert.deepEqual(openAnnouncement(me.published.at(-1), other), { ...said, until: NOW });
  }
  const count = me.published.length;
  me.following.add(generate().id); // it has the key, or it could not be met
  me.changed();
  await me.restart();
  assert.equal(me.published.length, count);
});

test('a damaged file is said to be, and not taken for none', (t) => {
  const me = machine(t);
  writeFileSync(me.paths.rekey, '{', { mode: 0o600 });
  assert.throws(() => readRekey(me.paths), /rekey.json is damaged/);
});

test('a machine that is killed between its two files goes on with the new key, and tells the others', async (t) => {
  const me = machine(t);
  const nas = generate();
  me.following.add(nas.id);
  me.publishing.failure = new Error('held');
  await assert.rejects(me.rekeying.rekey({ graceMs: DAY_MS }), /held/);
  assert.equal(me.keyring.current, me.first);
  const laptop = generate().id;
  me.following.add(laptop);
  const said = announcement(laptop);
  me.hear(laptop, said);
  writeFileSync(me.paths.config, JSON.stringify({ name: 'me', networkKey: me.first }), { mode: 0o600 });
  delete me.publishing.failure;
  const again = await me.restart();
  assert.equal(again.keyring.current, said.key);
  assert.equal(me.configKey(), said.key);
  await again.rekeying.close();
  assert.deepEqual(openAnnouncement(me.published.at(-1), nas), said);
});

test('a key that cannot be written is not taken over by halves, and tried again', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const me = machine(t);
  const laptop = generate().id;
  me.following.add(laptop);
  mkdirSync(me.paths.rekey); // a directory is in the way
  const said = announcement(laptop);
  me.hear(laptop, said);
  assert.equal(me.keyring.current, me.first);
  assert.equal(me.configKey(), me.first);
  assert.match(me.notices.join('\n'), /cannot be taken over yet/);
  rmSync(me.paths.rekey, { recursive: true });
  t.mock.timers.tick(1_000);
  assert.equal(me.keyring.current, said.key);
  assert.equal(me.configKey(), said.key);
});

test('a key that the user sets by hand stays, whatever was announced before', async (t) => {
  const me = machine(t);
  const laptop = generate().id;
  me.following.add(laptop);
  me.hear(laptop, announcement(laptop));
  const byHand = newKey();
  writeFileSync(me.paths.config, JSON.stringify({ name: 'me', networkKey: byHand }), { mode: 0o600 });
  me.clock.ms = NOW + 10;
  const again = await me.restart();
  again.hear(laptop, announcement(laptop, { at: NOW + 5 }));
  assert.equal(again.keyring.current, byHand);
  const later = announcement(laptop, { at: NOW + 20 });
  again.hear(laptop, later);
  assert.equal(again.keyring.current, later.key);
});
