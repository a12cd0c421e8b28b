/** The own feed of a peer that is open: whether it may be written, and what is kept of it beside the record. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MachinePaths } from '../../config/paths.ts';
import type { SignedMessage, SignedValue } from '../../message/signed.ts';
import type { Store } from '../../store/store.ts';
import type { EbtWatcher } from '../ebt.ts';
import type { Engine } from '../engines/engine.ts';
import { seesTwin } from '../instances.ts';
import { iterate, promised } from '../pull.ts';
import type { Callback, SsbPeer } from '../ssb/types.ts';
import { isFork } from './fork.ts';
import { OwnFeedGuard } from './guard.ts';
import { keepMark, readMark } from './high-water-mark.ts';
import { currentBoot, recordPlace } from './place.ts';
import { startState } from './start-state.ts';
import { type Hold, type OwnFeedState, readOwnFeedState, writeOwnFeedState } from './state-file.ts';

/** How often connected peers are asked for messages that were not written here. */
const INQUIRE_EVERY_MS = 10_000;

/** A peer that is asked for a message has this long. */
const ANSWER_MS = 5_000;

export interface OwnFeedOptions {
  readonly peer: SsbPeer;
  readonly engine: Engine;
  readonly store: Store;
  readonly paths: MachinePaths;
  readonly noCatchUp: boolean;
  readonly notice: (text: string) => void;
  /** Called when it turns out that another process writes the feed. */
  readonly onCloned: () => void;
  /** Called whenever the feed may be written again. */
  readonly onFree: () => void;
}

export interface OwnFeed extends EbtWatcher {
  readonly hold: Hold | undefined;
  /** @throws SsblogError `held` when the feed must not be written now */
  ready(): Promise<void> | void;
  close(): void;
}

export async function openOwnFeed(options: OwnFeedOptions): Promise<OwnFeed> {
  const { peer, store, paths, notice } = options;
  /** What cannot be kept on a full disk holds for as long as this process, and is mostly found again by the next. */
  const save = (state: OwnFeedState) => {
    current = state;
    try {
      writeOwnFeedState(paths.ownFeed, state);
    } catch (error) {
      notice((error as Error).message);
    }
  };
  let current = await stateAtStart(options);
  save(current);
  const guard = new OwnFeedGuard({
    id: peer.id,
    head: await ownHead(peer),
    at: async (sequence) => messageAt(peer, peer.id, sequence),
    ask: (remote, sequence) => askFor(peer, remote, sequence),
    seesTwin: async (remote) => {
      const connection = peer.peers[remote]?.at(-1);
      return connection !== undefined && (await seesTwin(connection));
    },
    state: current,
    save,
    notice,
    onCloned: options.onCloned,
    onFree: options.onFree,
  });
  holdBack(peer, guard);
  const mark = keepMark(paths.highWaterMarks, {
    read: () => {
      const head = store.log.head(peer.id);
      return head && { feed: peer.id, ...head, dir: paths.dir };
    },
    notice,
  });
  const unwatch = peer.post(({ value }) => {
    if (value.author !== peer.id) return;
    guard.stored(value);
    mark.touch();
  }, false);
  const inquiries = setInterval(() => {
    for (const [remote, connections] of Object.entries(peer.peers)) {
      if (remote !== peer.id && connections.length > 0) void guard.inquire(remote);
    }
  }, INQUIRE_EVERY_MS);
  inquiries.unref();
  const forked = new Set<string>();
  return {
    get hold() {
      return guard.hold;
    },
    ready: () => guard.ready(),
    heard: (remote, feed, sequence) => {
      if (feed === peer.id) guard.heard(remote, sequence);
    },
    received: (value) => {
      if (value.author === peer.id) guard.received(value);
    },
    refused: (value) => {
      const { author, sequence } = (value ?? {}) as Partial<SignedValue>;
      if (typeof author !== 'string' || typeof sequence !== 'number' || forked.has(author)) return;
      isFork(value as SignedValue, (wanted) => messageAt(peer, author, wanted)).then(
        (isOne) => {
          if (!isOne) return;
          forked.add(author);
          if (author === peer.id) guard.forkedAt(sequence);
          else notice(forkText(store.names(peer.id).get(author) ?? author, sequence));
        },
        (error: Error) => notice(`a message of ${author} could not be looked into: ${error.message}`),
      );
    },
    close() {
      clearInterval(inquiries);
      unwatch();
      guard.close();
      mark.close();
      save({ ...current, isClosed: true });
    },
  };
}

function forkText(name: string, sequence: number): string {
  return `the feed of ${name} has forked: it signed two messages ${sequence}. Two machines use its identity, or an old copy of its directory is used; see there: ssblog status`;
}

async function stateAtStart({ peer, engine, store, paths, noCatchUp, notice }: OwnFeedOptions) {
  const head = await ownHead(peer);
  const mark = readMark(paths.highWaterMarks, peer.id);
  const atMark = mark === undefined || mark.sequence > head ? undefined : await messageAt(peer, peer.id, mark.sequence);
  if (noCatchUp) notice('this machine writes its feed without having heard how much of it others hold');
  return startState({
    state: readOwnFeedState(paths.ownFeed),
    place: recordPlace(engine.name, engine.record),
    boot: currentBoot(),
    head,
    mark,
    keyAtMark: atMark?.key,
    hasOthers: store.feeds().length > 1 || store.contacts().some(({ from }) => from === peer.id),
    noCatchUp,
    nowMs: Date.now(),
  });
}

/** Stock clients publish without asking the writer. */
function holdBack(peer: SsbPeer, guard: OwnFeedGuard): void {
  peer.publish.hook(function (publish, args) {
    const callback = args.at(-1) as Callback;
    const go = () => publish.apply(this, args as Parameters<typeof publish>);
    try {
      const ready = guard.ready();
      if (ready === undefined) go();
      else ready.then(go, callback);
    } catch (error) {
      callback(error as Error);
    }
  });
}

async function ownHead(peer: SsbPeer): Promise<number> {
  const clock = await promised<Record<string, number>>((callback) => peer.getVectorClock(callback));
  return clock[peer.id] ?? 0;
}

/** @returns undefined when it is not here */
async function messageAt(peer: SsbPeer, feed: string, sequence: number): Promise<SignedMessage | undefined> {
  try {
    return await promised<SignedMessage>((callback) => peer.getAtSequence([feed, sequence], callback));
  } catch {
    return undefined; // ssb-db has no error of its own for it
  }
}

async function askFor(peer: SsbPeer, remote: string, sequence: number): Promise<SignedValue | undefined> {
  const connection = peer.peers[remote]?.at(-1); // those before it are about to end
  if (connection === undefined) return undefined;
  const answer = firstOf(connection.createHistoryStream({ id: peer.id, seq: sequence, limit: 1, keys: false }));
  const late = delay(ANSWER_MS, undefined, { ref: false });
  // Who cannot answer, because the connection ends for instance, is asked again at the next one.
  return (await Promise.race([answer.catch(() => undefined), late])) as SignedValue | undefined;
}

async function firstOf(source: Parameters<typeof iterate<unknown>>[0]): Promise<unknown> {
  for await (const value of iterate(source)) return value;
  return undefined;
}
