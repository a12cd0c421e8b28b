/**
 * A machine's SSB peer: lock, store, engine, replication, the API on the socket. The daemon opens one with its
 * network; a command that finds no daemon opens one without, for as long as it takes.
 */
import { existsSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import conn from 'ssb-conn/core.js';
import { Gossip } from 'ssb-conn/lib/gossip.js';
import noAuth from 'ssb-no-auth';
import replicate from 'ssb-replicate';
import * as z from 'zod';
import { externalAddresses } from '../config/external.ts';
import type { Identity } from '../config/identity.ts';
import type { Config } from '../config/keys.ts';
import type { MachinePaths } from '../config/paths.ts';
import { SsblogError } from '../errors.ts';
import type { Content } from '../message/content.ts';
import type { Store } from '../store/store.ts';
import { Writer } from '../writer/publish.ts';
import { Spool } from '../writer/spool.ts';
import { applyAccess } from './access.ts';
import { apiPlugin, type Doorkeeper } from './api.ts';
import { endBufferCheck } from './buffer-check.ts';
import { capConnections } from './connection-cap.ts';
import {
  dialPastHub,
  refuseCrossing,
  replaceOlder,
  replicationProgress,
  tellOfEarlyEnds,
  watchConnections,
} from './connections.ts';
import type { Control, DialResult, PeerEntry, PeerStatus } from './control.ts';
import { deferred } from './deferred.ts';
import { loadEbt } from './ebt.ts';
import type { Feeds } from './engines/engine.ts';
import { engineFor } from './engines/index.ts';
import { followGraph } from './follow-graph.ts';
import { Instances } from './instances.ts';
import { namingHosts } from './invites/addresses.ts';
import { openDoor } from './invites/door.ts';
import { type Lan, lanDiscovery } from './lan/plugin.ts';
import { captureLibraryOutput } from './library-output.ts';
import { watchLiveness } from './liveness.ts';
import { type Lock, takeLock } from './lock.ts';
import { watchNetwork } from './network-watch.ts';
import { trackSockets } from './open-sockets.ts';
import { describeHold } from './own-feed/hold-text.ts';
import { openOwnFeed } from './own-feed/own-feed.ts';
import { paceStreams } from './pace.ts';
import { allowOwner, restrictRemote } from './permissions.ts';
import { listenError, portsProblem } from './port.ts';
import { promised } from './pull.ts';
import { Receipts } from './receipts.ts';
import { dialWithOldKeys, handshakes, TRANSFORM } from './rekey/handshake.ts';
import { Keyring } from './rekey/keyring.ts';
import { Rekeying } from './rekey/rekeying.ts';
import { openRekey } from './rekey/state-file.ts';
import { requireAfresh } from './require-afresh.ts';
import { Room, roughSize, type Space } from './room.ts';
import { describePause, tellOfPauses } from './room-text.ts';
import { type Scheduler, startScheduler } from './scheduler.ts';
import { recordSeen } from './seen.ts';
import { secureSocketDirectory, socketDirectory, socketPath } from './socket.ts';
import { tuneSockets } from './socket-writes.ts';
import { bearNames } from './ssb/names.ts';
import type { RemotePeer, SsbPeer, StackBuilder } from './ssb/types.ts';
import { StrangerPace } from './stranger-pace.ts';
import { limitTraffic, prepareTraffic, Traffic } from './traffic.ts';
import { limitUnproven } from './unproven.ts';
import { websocketTransport } from './websocket/transport.ts';

/** Without it secret-stack drops every idle connection after 5 s. */
const INACTIVITY_MS = 600_000;
const HANDSHAKE_MS = 15_000;
const CLOSE_PATIENCE_MS = 2_000;
/** How often the disk is looked at while little comes. */
const ROOM_MS = 5_000;
/** How long whoever asks for a connection waits for it; the dialling goes on. */
const DIAL_ANSWER_MS = 10_000;

export interface PeerOptions {
  readonly config: Config;
  readonly identity: Identity;
  readonly paths: MachinePaths;
  /** Listens on the port and dials; without it the peer only answers on its socket. */
  readonly network: boolean;
  /** False: it dials, but nobody can dial it. A peer that a command opens for as long as it takes. */
  readonly listens?: boolean;
  /** Writes the own feed without having heard how much of it others hold; see own-feed/. */
  readonly noCatchUp?: boolean;
  readonly notice: (text: string) => void;
}

/** Of one event. */
const MAX_LISTENERS = 30;

export interface LocalPeer extends Control, Doorkeeper {
  readonly id: string;
  /** Addresses that other machines can dial; empty without network. */
  readonly addresses: readonly string[];
  readonly manifest: object;
  /** Calls when messages other than lines have come and are durable. @returns a function that ends it */
  onRecords(listener: () => void): () => void;
  /** Resolves when somebody asked the peer to end. */
  readonly stopRequested: Promise<void>;
  /** Rejects when the engine cannot go on. Never resolves. */
  readonly failed: Promise<never>;
}

/**
 * @throws SsblogError `locked` when another process has the machine, `port` when the port is taken
 */
export async function openPeer(options: PeerOptions): Promise<LocalPeer> {
  const closers: (() => unknown)[] = [];
  /** The reverse of the order in which things were opened. */
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error); // the others must be closed all the same
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    return await open(options, closers, closeAll);
  } catch (error) {
    // Why it did not open matters; what then did not close either mostly follows from it.
    await closeAll().catch((failure: Error) => options.notice(failure.message));
    throw error;
  }
}

async function open(
  options: PeerOptions,
  closers: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<LocalPeer> {
  const { identity, paths, network, notice } = options;
  closers.push(captureLibraryOutput(notice));
  endBufferCheck();
  closers.push(tuneSockets());
  closers.push(bearNames());
  const sockets = trackSockets();
  closers.push(() => sockets.close());
  const lock = await takeLockAndPort(options);
  closers.push(() => lock.close());

  prepareTraffic(); // before the engine loads secret-stack
  const rekeyed = openRekey(paths, options.config, Date.now());
  const keyring = new Keyring(rekeyed.key, rekeyed.old);
  let rekeying: Rekeying | undefined;
  const config: Config = {
    ...options.config,
    get networkKey() {
      return keyring.current;
    },
  };

  const engine = await engineFor(config.engine, paths, identity);
  const store = engine.openStore(notice);
  closers.push(() => store.close());

  secureSocketDirectory(paths);
  rmSync(socketPath(paths), { force: true }); // the lock is ours: nobody can be listening there

  const stop = deferred<void>();
  const failure = deferred<never>();
  failure.promise.catch(() => undefined); // reported by who waits for `failed`; here it must not count as unhandled
  const ready = deferred<LocalPeer>();
  let closing = false;

  const stack = engine.stack(store);
  const friends = followGraph(config.hops);
  const strangers = new StrangerPace((id) => !friends.isWithinHops(id));
  const traffic = new Traffic({}, strangers);
  const nameOf = (id: string) => store.names(identity.id).get(id) ?? id;
  const tellPauses = tellOfPauses(notice, nameOf);
  const room: Room = new Room({
    space: () => spaceAt(paths.dir),
    onChange: () => {
      tellPauses(room.pauses());
      ebt.pausesChanged();
    },
  });
  tellPauses(room.pauses());
  const roomWatch = setInterval(() => room.look(), ROOM_MS);
  closers.push(() => clearInterval(roomWatch));
  const ebt = loadEbt(traffic, {
    isPaused: (feed) => feed !== identity.id && room.isPaused(feed),
    get isAnyPaused() {
      return room.isAnyPaused;
    },
  });
  const instances = new Instances();
  let scheduler: Scheduler | undefined;
  const networks = watchNetwork(config.host);
  closers.push(() => networks.close());
  const lan = lanDiscovery({
    networkKeys: () => keyring.accepted(),
    keys: identity,
    port: config.port,
    network: networks,
    onFound: () => scheduler?.look(),
  });
  const api = apiPlugin(() => (closing ? undefined : ready.promise), instances);
  usePlugins(stack, friends.plugin, ebt.plugin, lan.plugin, api);
  ebt.only((id) => id === identity.id || config.access === 'members' || friends.isWithinHops(id));
  const peer = stack(stackConfig(options));
  // Node takes more than ten for a leak. Each part that looks at connections has one, for as long as the peer lives.
  peer.setMaxListeners(MAX_LISTENERS);
  closers.push(() => closeSsb(peer, paths));
  limitTraffic(peer, traffic, (address) => sockets.find(address)?.destroy());
  paceStreams(peer, traffic);
  allowOwner(peer);
  dialPastHub(peer);
  closers.push(applyAccess(peer, friends, config.access));
  peer.multiserver.transport({
    name: 'unix',
    create: () => loadUnixSocket()({ path: socketDirectory(paths), scope: 'device' }),
  });
  peer.multiserver.transform(
    handshakes({
      identity,
      keyring,
      timeoutMs: HANDSHAKE_MS,
      mayUseOld: (id) => rekeying?.mayUseOld(id) ?? false,
      authorize: (id, callback) => peer.auth(id, callback),
    }),
  );
  dialWithOldKeys(peer, keyring);
  const websockets = websocketTransport((error) =>
    failure.reject(listenError(config.wsPort, config.host, 'wsPort', error)),
  );
  peer.multiserver.transport(websockets.transport);
  const unproven = limitUnproven(config.port);
  closers.push(() => unproven.close());
  peer.on('rpc:connect', ({ stream }) => {
    websockets.proven(stream.address);
    unproven.proven(stream.address);
  });
  tellOfEarlyEnds(peer);
  capConnections(peer, {
    isWanted: friends.isWanted,
    hangUp: (remote) => {
      hangUp(remote);
      sockets.find(remote.stream.address)?.destroy();
    },
  });
  const connections = watchConnections(peer);
  instances.watch(peer, (id, addresses) => {
    notice(`two machines use the identity of ${nameOf(id)}, from ${addresses.join(' and ')}: one is a copy`);
  });
  refuseCrossing(peer, (id) => scheduler?.outgoingMs(id));
  const liveness = watchLiveness(peer, { received: (remote) => sockets.find(remote.stream.address)?.bytesRead });
  closers.push(() => liveness.close());
  replaceOlder(peer, {
    instances,
    notice: (id, addresses) => {
      notice(
        `${nameOf(id)} connects again and again from ${addresses.join(' and ')}: do two machines use its identity?`,
      );
    },
  });
  const listening = new Promise<void>((resolve) => {
    peer.once('multiserver:listening', resolve);
  });

  const feeds = await engine.open({ peer, store, notice, fatal: failure.reject });
  closers.push(() => feeds.close());
  closers.push(() => ebt.close());
  const announce = () =>
    announceName(config.name, identity.id, store, feeds).catch((error: Error) =>
      notice(`the name of this machine could not be told: ${error.message}`),
    );
  const ownFeed = await openOwnFeed({
    peer,
    engine,
    store,
    paths,
    notice,
    noCatchUp: options.noCatchUp === true,
    onCloned: () => {
      // Whom others take for the same machine, they speak with in turns: the other one is to be heard.
      scheduler?.close();
      lan.stop();
      hangUpAll(peer);
    },
    onFree: () => void announce(),
  });
  closers.push(() => ownFeed.close());
  const receipts = new Receipts({ peer, file: paths.receipts, isKnown: (id) => friends.isWithinHops(id), notice });
  closers.push(() => receipts.close());
  ebt.watch({
    heard: (from, feed, sequence) => {
      ownFeed.heard(from, feed, sequence);
      receipts.heard(from, feed, sequence);
    },
    received: (value, from) => {
      ownFeed.received(value, from);
      receipts.received(value);
      const bytes = roughSize(value);
      strangers.earn(from, bytes);
      if (value.author !== identity.id) room.took(value.author, bytes);
    },
    refused: (value) => ownFeed.refused(value),
  });
  friends.load(store.contacts());
  const connectedPeers = () => {
    const clock = store.clock();
    return connections.list().map((entry) => {
      const known = ebt.knownSequence(entry.id, (remote) => remote === entry.id);
      return { ...entry, upToDate: known > 0 && known <= (clock.get(entry.id) ?? 0) };
    });
  };
  const seen = recordSeen(store, { peers: connectedPeers, notice });
  closers.push(() => seen.close());
  const writer = new Writer({
    ready: () => ownFeed.ready(),
    publish: (contents) => feeds.publish(contents),
    storedProgress: (run) => store.runProgress(identity.id, run),
  });
  closers.push(() => writer.idle());
  rekeying = new Rekeying({
    peer,
    identity,
    paths,
    store,
    graph: friends,
    keyring,
    state: rekeyed,
    publish: async (contents) => {
      await ownFeed.ready();
      await (await feeds.publish(contents)).durable;
    },
    nameOf,
    notice,
  });
  closers.push(() => rekeying?.close());
  const door = openDoor({
    peer,
    graph: friends,
    config,
    paths,
    notice,
    dials: network,
    write: (contents) => writer.write(contents),
    remember: (addresses) => remember(peer, addresses),
  });
  closers.push(() => door.close());
  if (ownFeed.hold === undefined) await announceName(config.name, identity.id, store, feeds);
  await listening;
  await peer.conn.db().loaded();
  if (network && ownFeed.hold?.reason !== 'cloned') {
    // Who invited this machine is followed from then on, so it is among them.
    scheduler = startScheduler(peer, { found: lan.found, wants: friends.isWanted });
    networks.onChange(() => {
      sockets.endStranded();
      liveness.hurry();
      scheduler?.retry();
    });
    if (config.lan && listens(options)) lan.start();
  }
  closers.push(() => scheduler?.close());
  closers.push(() => lan.stop());
  const startedMs = Date.now();
  const addresses = listens(options) ? dialAddresses(peer, config) : [];

  const local: LocalPeer = {
    id: identity.id,
    isDaemon: false,
    addresses,
    manifest: peer.getManifest(),
    stopRequested: stop.promise,
    failed: failure.promise,
    write: async (contents: readonly Content[]) => {
      if (closing) throw new SsblogError('lost', 'the peer is ending');
      await writer.write(contents);
    },
    connect: (address) => dial(peer, address, network),
    status: async (): Promise<PeerStatus> => ({
      pid: process.pid,
      temporary: !listens(options),
      uptimeMs: Date.now() - startedMs,
      addresses,
      peers: connectedPeers().map((entry) => ({ ...entry, via: viaOf(entry, scheduler) })),
      lan: lanStatus(lan, friends.isWanted),
      replication: replicationProgress(store, (feed) => ebt.knownSequence(feed, friends.isWanted)),
      paused: room.pauses().map((pause) => describePause(pause, nameOf)),
      hold: ownFeed.hold === undefined ? null : describeHold(ownFeed.hold),
      ...door.status(),
    }),
    onRecords: (listener) => store.onRecords(listener),
    ...door.calls,
    have: (remote, sequence) => receipts.heard(remote, identity.id, z.int().nonnegative().parse(sequence)),
    rekey: async (wanted) => {
      if (rekeying === undefined) throw new Error('the peer is not open');
      return rekeying.rekey(wanted);
    },
    stop: async () => stop.resolve(),
    close: async () => {
      closing = true;
      await closeAll();
    },
  };

  const spool = new Spool({ dir: paths.spool, write: (contents) => writer.writeSpooled(contents), notice });
  closers.push(() => spool.close());
  await spool.start();
  ready.resolve(local);
  door.resume();
  return local;
}

function spaceAt(dir: string): Space {
  const { bavail, blocks, bsize } = statfsSync(dir);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

/** Where only the port is in the way, nothing is made on the disk. */
async function takeLockAndPort(options: PeerOptions): Promise<Lock> {
  const { config, paths } = options;
  const portError = listens(options) ? await portsProblem(config) : undefined;
  if (portError !== undefined && !existsSync(paths.lock)) throw portError;
  const lock = takeLock(paths); // a daemon that runs here has the port as well: this is what the user must hear
  if (portError === undefined) return lock;
  lock.close();
  throw portError;
}

function usePlugins(stack: StackBuilder, ...own: readonly unknown[]): void {
  const [friends, ebt, ...others] = own;
  for (const plugin of [noAuth, replicate, friends, ebt, conn, Gossip, ...others]) stack.use(plugin);
  restrictRemote(stack);
}

/** How this machine came to know where the other one is; null when the other one dialled. */
function viaOf(
  { id, direction }: Pick<PeerEntry, 'id' | 'direction'>,
  scheduler: Scheduler | undefined,
): PeerEntry['via'] {
  return direction === 'outgoing' ? (scheduler?.via(id) ?? 'user') : null;
}

/** Whoever is found and not followed has the network key, and waits to be followed. */
function lanStatus(lan: Lan, isWanted: (feed: string) => boolean): PeerStatus['lan'] {
  const { links, found } = lan.status();
  return {
    links: links.map((link) => ({ ...link })),
    found: found.map(({ id, addresses, sinceMs }) => ({
      id,
      addresses: [...addresses],
      sinceMs,
      wanted: isWanted(id),
    })),
  };
}

function listens({ network, listens = true }: PeerOptions): boolean {
  return network && listens;
}

function stackConfig(options: PeerOptions): object {
  const { config, identity, paths } = options;
  const listen = { scope: ['device', 'local', 'public'], transform: TRANSFORM, host: config.host };
  const net = [{ ...listen, port: config.port }];
  const ws = config.relay ? [{ ...listen, port: config.wsPort }] : [];
  return {
    path: paths.dir,
    keys: identity,
    caps: { shs: config.networkKey },
    replicate: { legacy: false },
    conn: { autostart: false },
    timers: { inactivity: INACTIVITY_MS, handshake: HANDSHAKE_MS },
    connections: {
      incoming: { unix: [{ scope: 'device', transform: 'noauth' }], ...(listens(options) ? { net, ws } : {}) },
      outgoing: { net: [{ transform: TRANSFORM }], ws: [{ transform: TRANSFORM }] },
    },
  };
}

/** The module remembers that it listens: the second peer of a process would wait for its socket for ever. */
function loadUnixSocket(): (options: { path: string; scope: 'device' }) => unknown {
  const require = createRequire(import.meta.url);
  const plugin = requireAfresh(require, require.resolve('multiserver/plugins/unix-socket.js'));
  return plugin as ReturnType<typeof loadUnixSocket>;
}

/** Other machines show this machine by its name. */
async function announceName(name: string, id: string, store: Store, feeds: Feeds): Promise<void> {
  if (store.names(id).get(id) === name) return;
  const { durable } = await feeds.publish([{ type: 'about', about: id, name }]);
  await durable;
}

/** What the user says of it first, then what the machine sees of itself. */
function dialAddresses(peer: SsbPeer, config: Config): string[] {
  const scopes = ['public', 'local', 'device'] as const;
  const seen = scopes.flatMap((scope) => (peer.getAddress(scope) ?? '').split(';'));
  const key = peer.id.slice(1, -'.ed25519'.length);
  const said = externalAddresses(config).map((address) => `${address}~shs:${key}`);
  const listening = seen.filter((address) => /^(net|wss?):/.test(address)).flatMap((address) => namingHosts(address));
  return [...new Set([...said, ...listening])];
}

async function remember(peer: SsbPeer, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) peer.conn.remember(address, { autoconnect: true });
  // ssb-conn writes its file a second later; who was told "remembered" must not lose that to a kill.
  await promised<unknown>((callback) => peer.conn.db()._write(callback));
}

async function dial(peer: SsbPeer, address: string, network: boolean): Promise<DialResult> {
  await remember(peer, [address]);
  if (!network) return { connected: false, error: null };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DIAL_ANSWER_MS);
  });
  try {
    const dialled = promised<unknown>((callback) => peer.conn.connect(address, callback));
    const isConnected = (await Promise.race([dialled, late])) !== false;
    return { connected: isConnected, error: isConnected ? null : 'no answer yet' };
  } catch (error) {
    return { connected: false, error: dialErrorText(error as Error) };
  } finally {
    clearTimeout(timer);
  }
}

/** What the handshake's own texts mean to who dialled. */
function dialErrorText({ message }: Error): string {
  if (message.startsWith('shs.client')) return 'it refused the handshake: it has another network key, or another id';
  if (message.includes('SSL routines')) return 'no TLS is spoken there: is it ws:// instead of wss://?';
  return message.split('\n', 1)[0] ?? message;
}

function hangUp(connection: RemotePeer): void {
  connection.close(true, () => undefined);
}

/** Connections with other machines; those of this machine's own command line stay. */
function hangUpAll(peer: SsbPeer): void {
  for (const [id, connections] of Object.entries(peer.peers)) {
    if (id !== peer.id) for (const connection of [...connections]) hangUp(connection);
  }
}

async function closeSsb(peer: SsbPeer, paths: MachinePaths): Promise<void> {
  // ssb-db closes the database first and the connections after: whoever is served meanwhile would ask a closed one.
  for (const connections of Object.values(peer.peers)) {
    for (const connection of [...connections]) hangUp(connection);
  }
  peer.on('rpc:connect', hangUp); // whoever was in the midst of a handshake
  // A connection without a handshake keeps the server open; nothing that matters waits for it.
  const patience = delay(CLOSE_PATIENCE_MS, undefined, { ref: false });
  try {
    await Promise.race([promised<unknown>((callback) => peer.close(callback)), patience]);
  } catch (error) {
    throw new SsblogError('peer', `the peer did not close in order: ${(error as Error).message}`, { cause: error });
  }
  rmSync(socketPath(paths), { force: true });
  if (socketDirectory(paths) !== paths.dir) rmdirSync(socketDirectory(paths));
}
