/**
 * SSB's secret handshake under more than one network key, as a transform of multiserver. The first message of whoever
 * dials is an HMAC with its key, so who is dialled can tell which one it is, and answers with the same. Whoever dials
 * cannot know which key the other side has: it begins with the current one, and dials again with older ones.
 */
import type { Identity } from '../../config/identity.ts';
import { addressFeed } from '../scheduler.ts';
import { requireOf } from '../ssb/stock.ts';
import type { Callback, PullDuplex, RemotePeer, SsbPeer } from '../ssb/types.ts';
import type { Keyring } from './keyring.ts';

/** What the stack's configuration calls it. */
export const TRANSFORM = 'shs-keys';

/** A handshake's state, as secret-handshake has it. */
interface State {
  app_key: Buffer;
  readonly local: { readonly kx_pk: Buffer; app_mac: Buffer };
}

interface Steps {
  verifyChallenge(state: State, challenge: Buffer): State | null;
  clientVerifyChallenge(state: State, challenge: Buffer): State | null;
}

interface SecureStream extends PullDuplex {
  readonly remote: Buffer;
  address: string;
  meta?: ConnectionMeta;
}

type Handshake = PullDuplex['sink'] & PullDuplex;
type Authorize = (publicKey: Buffer, callback: Callback) => void;

interface Protocol {
  createServer(
    keys: object,
    authorize: Authorize,
    appKey: Buffer,
    timeoutMs: number,
  ): (done: Callback<SecureStream>) => Handshake;
  createClient(
    keys: object,
    appKey: Buffer,
    timeoutMs: number,
  ): (publicKey: Buffer, done: Callback<SecureStream>) => Handshake;
}

/** What is known of a connection. */
interface ConnectionMeta {
  readonly networkKey: string;
}

interface HandshakeOptions {
  readonly identity: Identity;
  readonly keyring: Keyring;
  readonly timeoutMs: number;
  /** Whether a machine may be met under an old key. */
  readonly mayUseOld: (id: string) => boolean;
  /** Whether a machine may come in, whatever its key. */
  readonly authorize: (id: string, callback: Callback) => void;
}

/** The network key of a connection; undefined for those of this computer's own socket. */
export function networkKeyOf(remote: RemotePeer): string | undefined {
  return (remote.meta as ConnectionMeta | undefined)?.networkKey;
}

export function handshakes(options: HandshakeOptions): { name: string; create(): object } {
  const { identity, keyring, timeoutMs, mayUseOld } = options;
  const require = requireOf('multiserver');
  const steps = require('secret-handshake/crypto') as Steps;
  const protocolOf = require('secret-handshake/protocol') as (steps: Steps) => Protocol;
  const keys = { publicKey: keyBytes(identity.public), secretKey: keyBytes(identity.private) };

  const admit = (done: Callback<SecureStream>): Handshake => {
    let used = keyring.current;
    const authorize: Authorize = (publicKey, callback) => {
      const id = idOf(publicKey);
      options.authorize(id, (error, permissions) => {
        if (error) callback(error);
        else if (used !== keyring.current && !mayUseOld(id)) callback(new Error('it came with an old network key'));
        else callback(null, permissions ?? true);
      });
    };
    const choosing: Steps = {
      ...steps,
      verifyChallenge(state, challenge) {
        for (const key of keyring.accepted()) {
          useKey(state, key);
          const verified = steps.verifyChallenge(state, challenge);
          if (verified === null) continue;
          used = key;
          return verified;
        }
        return null;
      },
    };
    const server = protocolOf(choosing).createServer(keys, authorize, bytesOf(used), timeoutMs);
    return server((error, stream) => done(error, stream && marked(stream, used)));
  };

  const dial = (publicKey: Buffer, done: Callback<SecureStream>): Handshake => {
    const id = idOf(publicKey);
    const used = keyring.forDial(id, mayUseOld(id));
    let isKeyRight = false;
    const watching: Steps = {
      ...steps,
      clientVerifyChallenge(state, challenge) {
        const verified = steps.clientVerifyChallenge(state, challenge);
        isKeyRight = verified !== null;
        return verified;
      },
    };
    const client = protocolOf(watching).createClient(keys, bytesOf(used), timeoutMs);
    return client(publicKey, (error, stream) => {
      if (isKeyRight) keyring.reached(id);
      else if (error) keyring.refused(id, used, mayUseOld(id));
      done(error, stream && marked(stream, used));
    });
  };

  const transform = (target: { key: Buffer } | undefined) => (stream: PullDuplex, callback: Callback<SecureStream>) => {
    const done: Callback<SecureStream> = (error, secure) => {
      // Who it was is not known when the handshake failed.
      callback(error ? Object.assign(error, { address: 'shs:' }) : null, secure);
    };
    const handshake = target === undefined ? admit(done) : dial(target.key, done);
    handshake.sink(stream.source);
    stream.sink(handshake.source);
  };
  const plugin = { name: 'shs', create: transform, parse, stringify: () => `shs:${keys.publicKey.toString('base64')}` };
  return { name: TRANSFORM, create: () => plugin };
}

/** Dials once more, with another key, whoever refused the first one. */
export function dialWithOldKeys(peer: SsbPeer, keyring: Keyring): void {
  peer.conn.connect.hook(function (original, args) {
    const feed = addressFeed(String(args[0]));
    const callback = args.at(-1);
    if (feed === undefined || typeof callback !== 'function') return original.apply(this, args as never);
    const attempt = (): unknown => {
      const before = keyring.refusals(feed);
      const answered: Callback = (error, remote) => {
        if (error && keyring.refusals(feed) > before) attempt();
        else callback(error, remote);
      };
      return original.apply(this, [...args.slice(0, -1), answered] as never);
    };
    return attempt();
  });
}

/** As secret-handshake would have begun with the key: what was made of another one is replaced. */
function useKey(state: State, key: string): void {
  const sodium = requireOf('secret-handshake', requireOf('multiserver'))('chloride') as {
    crypto_auth(message: Buffer, key: Buffer): Buffer;
  };
  state.app_key = bytesOf(key);
  state.local.app_mac = sodium.crypto_auth(state.local.kx_pk, state.app_key);
}

function marked(stream: SecureStream, networkKey: string): SecureStream {
  stream.address = `shs:${stream.remote.toString('base64')}`;
  stream.meta = { networkKey };
  return stream;
}

function parse(text: string): { key: Buffer } | null {
  const [name, key = ''] = text.split(':');
  const bytes = Buffer.from(key, 'base64');
  return name === 'shs' && bytes.length === 32 ? { key: bytes } : null;
}

function idOf(publicKey: Buffer): string {
  return `@${publicKey.toString('base64')}.ed25519`;
}

function bytesOf(networkKey: string): Buffer {
  return Buffer.from(networkKey, 'base64');
}

function keyBytes(text: string): Buffer {
  return Buffer.from(text.replace('.ed25519', ''), 'base64');
}
