/** The slice of SSB's untyped modules that is used here, by hand. Nothing else in src/ knows their shapes. */

type Callback<T = unknown> = (error: Error | null | undefined, value?: T) => void;

declare module 'ssb-server' {
  import type { StackBuilder } from './types.ts';
  export function createSsbServer(): StackBuilder;
}

declare module 'ssb-no-auth' {
  const plugin: unknown;
  export default plugin;
}

declare module 'ssb-replicate' {
  const plugin: unknown;
  export default plugin;
}

declare module 'chloride' {
  const sodium: {
    crypto_sign_detached(message: Buffer, secretKey: Buffer): Buffer;
    crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean;
    crypto_secretbox_easy(message: Buffer, nonce: Buffer, key: Buffer): Buffer;
    /** null or false (it depends on chloride's implementation) for what was not made with the key. */
    crypto_secretbox_open_easy(sealed: Buffer, nonce: Buffer, key: Buffer): Buffer | null | false;
  };
  export default sodium;
}

declare module 'ssb-keys' {
  const ssbKeys: {
    /** @param recipients feed ids, at most 7 */
    box(content: object, recipients: readonly string[]): string;
    /** Not an object for what is not meant for these keys. */
    unbox(boxed: string, keys: { private: string }): unknown;
  };
  export default ssbKeys;
}

declare module 'epidemic-broadcast-trees/v3.js' {
  export function note(sequence: number, isWanted: boolean): number;
  export function getReceive(note: number): boolean;
  export function getSequence(note: number): number;
}

declare module 'ssb-conn/core.js' {
  const plugin: unknown;
  export default plugin;
}

declare module 'ssb-conn/lib/gossip.js' {
  export const Gossip: unknown;
}

declare module 'multiserver/plugins/ws.js' {
  const create: (options: object) => object;
  export default create;
}

declare module 'multiserver/plugins/shs.js' {
  const create: (options: object) => object;
  export default create;
}

declare module 'stream-to-pull-stream' {
  import type { Duplex } from 'node:stream';
  import type { PullDuplex } from './types.ts';

  const toPull: { duplex(stream: Duplex): PullDuplex };
  export default toPull;
}

declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  interface FrameOptions {
    readonly maxPayload: number;
    readonly perMessageDeflate: false;
  }
  class WebSocket extends EventEmitter {
    static readonly OPEN: number;
    static readonly Server: new (
      options: FrameOptions & { readonly noServer: true },
    ) => {
      handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (webSocket: WebSocket) => void): void;
    };
    static createWebSocketStream(webSocket: WebSocket): Duplex;
    constructor(address: string, options: FrameOptions & { readonly handshakeTimeout: number });
    readonly readyState: number;
    ping(): void;
    send(data: Buffer): void;
    terminate(): void;
  }
  export default WebSocket;
}

declare module 'ssb-client/client.js' {
  import type { Callback } from './types.ts';

  interface Options {
    keys: { curve: string; public: string; private: string; id: string };
    remote: string;
    manifest: object;
    config: { caps: { shs: string }; timers?: { handshake?: number } };
  }
  const connect: (options: Options, callback: Callback<unknown>) => void;
  export default connect;
}
